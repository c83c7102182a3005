"use client";

/** What narrows memories wherever they are shown, in a list or in a picture. */

import { useState } from "react";
import { useApps, useCategories } from "@/api/memories";
import { Field, Input } from "../ui/field";
import { Facet } from "./facet";

const A_PAGE = 100; // apps: of more the server is asked for those of a name

type ChosenProps = { chosen: string[]; onChange: (chosen: string[]) => void };

/** Which apps wrote them. */
export function AppFacet({ chosen, onChange }: ChosenProps) {
  const [name, setName] = useState("");
  const apps = useApps(name);
  return (
    <Facet
      label="App"
      choices={unique(apps.data?.apps)}
      chosen={chosen}
      onChange={onChange}
      onSearch={name || (apps.data?.total ?? 0) > A_PAGE ? setName : undefined}
    />
  );
}

/** Which categories they are in. */
export function CategoryFacet({ chosen, onChange }: ChosenProps) {
  const categories = useCategories();
  return <Facet label="Category" choices={unique(categories.data?.categories)} chosen={chosen} onChange={onChange} />;
}

type DatesProps = { from: string; to: string; change: (part: { from?: string; to?: string }) => void };

/** The days between which they were made: two fields. */
export function Dates({ from, to, change }: DatesProps) {
  return (
    <>
      <Field label="Created from">
        {(id) => <Input id={id} type="date" value={from} onChange={(event) => change({ from: event.target.value })} />}
      </Field>
      <Field label="to">
        {(id) => <Input id={id} type="date" value={to} onChange={(event) => change({ to: event.target.value })} />}
      </Field>
    </>
  );
}

function unique(named: { name: string }[] | undefined): string[] {
  return [...new Set((named ?? []).map(({ name }) => name))];
}
