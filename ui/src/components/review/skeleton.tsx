import { Skeleton } from "../ui/skeleton";

/** Where the cards are going to be. */
export function CardsSkeleton() {
  return (
    <div className="grid gap-3" aria-busy>
      {["one", "two", "three"].map((place) => (
        <Skeleton key={place} className="h-44 w-full rounded-lg" />
      ))}
    </div>
  );
}
