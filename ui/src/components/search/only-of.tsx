/** Why a search finds nothing of others, where everybody's memories are shown. */
export function OnlyOf({ name }: { name: string }) {
  return (
    <> A search is of one person's memories, here of {name}'s: choose another person at the top to look into theirs.</>
  );
}
