"use client";

import { PageHeader } from "@/components/page-header";
import { ThemeCards } from "@/components/settings/theme-cards";

export default function Appearance() {
  return (
    <>
      <PageHeader title="Appearance" note="Kept in this browser." />
      <ThemeCards />
    </>
  );
}
