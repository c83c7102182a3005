"use client";

import { type FormEvent, useState } from "react";
import type { Labels } from "@/api/labels";
import { useCategories } from "@/api/memories";
import { useTags } from "@/api/tags";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../ui/tabs";
import { type Names, NamesField, taken } from "./names-field";

const NONE: Labels = { categories: [], tags: [] };

type LabelDialogProps = {
  title: string;
  setOpen: (isOpen: boolean) => void;
  onSave: (added: Labels, removed: Labels) => void;
  /** What one memory has: it is changed as it stands. Without it, labels are added to many, or taken off. */
  present?: Labels;
};

/** Categories and tags, chosen for one memory or for many. */
export function LabelDialog({ title, setOpen, onSave, present }: LabelDialogProps) {
  const [way, setWay] = useState<"add" | "remove">("add");
  const [categories, setCategories] = useState<Names>({ names: present?.categories ?? [], text: "" });
  const [tags, setTags] = useState<Names>({ names: present?.tags ?? [], text: "" });
  const knownCategories = useCategories();
  const knownTags = useTags(tags.text);
  const chosen: Labels = { categories: taken(categories), tags: taken(tags) };
  const added = present ? without(chosen, present) : way === "add" ? chosen : NONE;
  const removed = present ? without(present, chosen) : way === "remove" ? chosen : NONE;
  const isChange = [added, removed].some((labels) => labels.categories.length + labels.tags.length > 0);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isChange) return;
    onSave(added, removed);
    setOpen(false);
  }
  const fields = (
    <>
      <NamesField
        label="Categories"
        value={categories}
        known={[...new Set((knownCategories.data?.categories ?? []).map(({ name }) => name))]}
        onChange={setCategories}
      />
      <NamesField
        label="Tags"
        value={tags}
        known={(knownTags.data?.tags ?? []).map(({ name }) => name)}
        onChange={setTags}
      />
    </>
  );
  return (
    <Dialog open onOpenChange={setOpen}>
      <DialogContent title={title}>
        <form onSubmit={submit} className="grid grid-cols-[minmax(0,1fr)] gap-4">
          {present ? (
            fields
          ) : (
            <Tabs value={way} onValueChange={(value) => setWay(value as typeof way)}>
              <TabsList aria-label="What to do">
                <TabsTrigger value="add">Add</TabsTrigger>
                <TabsTrigger value="remove">Take off</TabsTrigger>
              </TabsList>
              <TabsContent value={way} tabIndex={-1} className="grid grid-cols-[minmax(0,1fr)] gap-4 pt-4">
                {fields}
              </TabsContent>
            </Tabs>
          )}
          <DialogActions>
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={!isChange}>
              {present ? "Save" : way === "add" ? "Add labels" : "Take labels off"}
            </Button>
          </DialogActions>
        </form>
      </DialogContent>
    </Dialog>
  );
}

function without(these: Labels, others: Labels): Labels {
  return {
    categories: these.categories.filter((name) => !others.categories.includes(name)),
    tags: these.tags.filter((name) => !others.tags.includes(name)),
  };
}
