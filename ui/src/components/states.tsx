"use client";

/** What a page or a part of it shows when it has nothing else to show: empty, failed, forbidden, not found, offline. */

import { CircleAlert, Lock, SearchX, WifiOff } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, Offline } from "@/api/client";
import { Button } from "./ui/button";

type NoticeProps = { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode };

/** One of them: an icon, a sentence, perhaps what can be done. */
export function Notice({ icon, title, children, action }: NoticeProps) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-12 text-center">
      {icon && <div className="text-muted-foreground [&_svg]:size-6">{icon}</div>}
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-prose text-muted-foreground">{children}</div>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** What went wrong, in the server's words, with a way to try again. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const again = retry && (
    <Button size="small" onClick={retry}>
      Try again
    </Button>
  );
  if (error instanceof Offline) {
    return (
      <Notice icon={<WifiOff />} title="The server does not answer" action={again}>
        This page comes back by itself as soon as it does.
      </Notice>
    );
  }
  if (error instanceof ApiError && error.status === 403) {
    return (
      <Notice icon={<Lock />} title="You may not see this">
        {error.message}
      </Notice>
    );
  }
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Notice icon={<SearchX />} title={error.message}>
        It may have been deleted, or belong to somebody else.
      </Notice>
    );
  }
  return (
    <div role="alert">
      <Notice icon={<CircleAlert />} title="This could not be loaded" action={again}>
        {error.message}
        {error instanceof ApiError && error.requestId && (
          <p className="mt-1 text-xs">
            The server's log has more under <code className="font-mono">{error.requestId}</code>
          </p>
        )}
      </Notice>
    </div>
  );
}
