import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/cn";

const badgeVariants = cva(
  "inline-flex max-w-full items-center gap-1 truncate rounded-sm px-1.5 py-px text-xs leading-[1.15rem] font-medium [&_svg]:size-3",
  {
    variants: {
      tone: {
        neutral: "bg-muted text-foreground",
        accent: "bg-accent-soft text-accent",
        good: "bg-good-soft text-good",
        warning: "bg-warning-soft text-warning",
        danger: "bg-danger-soft text-danger",
      },
    },
    defaultVariants: { tone: "neutral" },
  },
);

export function Badge({ className, tone, ...props }: ComponentProps<"span"> & VariantProps<typeof badgeVariants>) {
  return <span className={cn(badgeVariants({ tone }), className)} {...props} />;
}
