/** What is said in a corner of the screen and goes by itself. The code for it comes after the page. */

let loading: Promise<typeof import("sonner")> | undefined;

/** One import for all: the page loads it with the place where it is shown, so it is there when the server is gone. */
export function loadSonner(): Promise<typeof import("sonner")> {
  loading ??= import("sonner");
  return loading;
}

const sonner = () => loadSonner().then(({ toast }) => toast);

export const notify = {
  done: (text: string) => void sonner().then((toast) => toast.success(text)),
  failed: (text: string) => void sonner().then((toast) => toast.error(text)),
  /** With a button that takes it back; it stays long enough to be reached. */
  undoable: (text: string, undo: () => void) =>
    void sonner().then((toast) => toast(text, { duration: 10_000, action: { label: "Undo", onClick: undo } })),
};
