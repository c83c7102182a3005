"use client";

import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/cn";
import { Button } from "./button";

export const Dialog = Primitive.Root;
export const DialogTrigger = Primitive.Trigger;
export const DialogClose = Primitive.Close;

type ContentProps = ComponentProps<typeof Primitive.Content> & { title: string; description?: ReactNode };

/** The dialog itself. Every one has a title; the description is read out with it. */
export function DialogContent({ title, description, children, className, ...props }: ContentProps) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className="fixed inset-0 z-40 bg-black/45 data-[state=open]:animate-in data-[state=open]:fade-in-0" />
      <Primitive.Content
        {...(description ? {} : { "aria-describedby": undefined })}
        className={cn(
          "fixed top-[8vh] left-1/2 z-50 max-h-[84vh] w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 overflow-y-auto rounded-lg border bg-raised p-5 shadow-xl data-[state=open]:animate-in data-[state=open]:fade-in-0 data-[state=open]:zoom-in-98",
          className,
        )}
        {...props}
      >
        <div className="mb-4 pr-8">
          <Primitive.Title className="text-base font-semibold">{title}</Primitive.Title>
          {description && (
            <Primitive.Description className="mt-1 text-muted-foreground">{description}</Primitive.Description>
          )}
        </div>
        {children}
        <Primitive.Close asChild>
          <Button variant="ghost" size="icon-small" className="absolute top-4 right-4" aria-label="Close">
            <X />
          </Button>
        </Primitive.Close>
      </Primitive.Content>
    </Primitive.Portal>
  );
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;
}
