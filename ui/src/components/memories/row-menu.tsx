"use client";

import { Archive, ArchiveRestore, Ellipsis, Pause, Pencil, Play, SquareArrowOutUpRight, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import type { State } from "@/api/memories";
import { brief } from "@/format";
import { Button } from "../ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "../ui/menu";

type RowMenuProps = {
  memory: { id: string; content: string; state: string };
  /** Left out where the page of the memory is shown already. */
  canOpen?: boolean;
  /** Opened with it: where it comes because it was asked for. */
  isOpen?: boolean;
  onEdit: () => void;
  onState: (state: State) => void;
  onDelete: () => void;
};

/** What can be done with one memory. */
export function RowMenu({ memory, canOpen = true, isOpen = false, onEdit, onState, onDelete }: RowMenuProps) {
  const router = useRouter();
  return (
    <Menu defaultOpen={isOpen}>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon-small" aria-label={`Actions for ${brief(memory.content, 40)}`}>
          <Ellipsis />
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        {canOpen && (
          <MenuItem onSelect={() => router.push(`/memory/?id=${memory.id}`)}>
            <SquareArrowOutUpRight /> Open
          </MenuItem>
        )}
        <MenuItem onSelect={() => setTimeout(onEdit)}>
          <Pencil /> Edit
        </MenuItem>
        {memory.state === "active" && (
          <MenuItem onSelect={() => onState("paused")}>
            <Pause /> Pause
          </MenuItem>
        )}
        {memory.state === "paused" && (
          <MenuItem onSelect={() => onState("active")}>
            <Play /> Resume
          </MenuItem>
        )}
        {memory.state === "archived" ? (
          <MenuItem onSelect={() => onState("active")}>
            <ArchiveRestore /> Take out of the archive
          </MenuItem>
        ) : (
          <MenuItem onSelect={() => onState("archived")}>
            <Archive /> Archive
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem className="text-danger [&_svg]:text-danger" onSelect={onDelete}>
          <Trash2 /> Delete
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
