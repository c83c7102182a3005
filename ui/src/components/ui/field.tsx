import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";
import { cn } from "@/cn";

const FRAME =
  "w-full rounded-md border border-input bg-raised px-3 placeholder:text-muted-foreground disabled:opacity-60 aria-invalid:border-danger";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={cn(FRAME, "h-9", className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea className={cn(FRAME, "field-sizing-content min-h-20 py-2 leading-relaxed", className)} {...props} />;
}

export function NativeSelect({ className, ...props }: ComponentProps<"select">) {
  return <select className={cn(FRAME, "h-9 w-auto pr-8", className)} {...props} />;
}

type FieldProps = { label: string; hint?: ReactNode; error?: string; children: (id: string) => ReactNode };

/** A labelled control; what is wrong with it is read out with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children(id)}
      {hint && <p className="text-[0.8125rem] text-muted-foreground">{hint}</p>}
      {error && (
        <p role="alert" className="text-[0.8125rem] text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
