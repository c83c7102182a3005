import { SearchX } from "lucide-react";
import Link from "next/link";
import { Notice } from "@/components/states";
import { Button } from "@/components/ui/button";

export default function NotFound() {
  return (
    <main className="grid min-h-dvh place-items-center">
      <h1 className="sr-only">No such page</h1>
      <Notice
        icon={<SearchX />}
        title="There is no such page"
        action={
          <Button asChild>
            <Link href="/">To the overview</Link>
          </Button>
        }
      />
    </main>
  );
}
