/** Lists that somebody edits, item by item. */

/** The list with an item moved by so many places; as it is if that leads out of it. */
export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = from + by;
  const item = list[from];
  if (item === undefined || to < 0 || to >= list.length) return [...list];
  const rest = list.filter((_, place) => place !== from);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}

/** Names that more than one has, without regard to case. */
export function doubled(names: readonly string[]): Set<string> {
  const plain = names.map((name) => name.trim().toLocaleLowerCase());
  return new Set(plain.filter((name, place) => plain.indexOf(name) !== place));
}
