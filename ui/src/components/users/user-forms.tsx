"use client";

import { type FormEvent, type ReactNode, useId, useState } from "react";
import { type User, useChangeUser, useMakeUser } from "@/api/users";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Switch } from "../ui/switch";

const SHORTEST = 8; // characters of a password

type FormProps = {
  title: string;
  action: string;
  isPending?: boolean;
  error?: string;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
};

function FormDialog({ title, action, isPending, error, onSubmit, onClose, children }: FormProps) {
  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit();
  }
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent title={title}>
        <form onSubmit={submit} className="grid gap-4">
          {children}
          {error && (
            <p role="alert" className="text-danger">
              {error}
            </p>
          )}
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={isPending}>
              {action}
            </Button>
          </DialogActions>
        </form>
      </DialogContent>
    </Dialog>
  );
}

type TextProps = {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  required?: boolean;
  type?: string;
};

function Text({ label, hint, value, onChange, required, type }: TextProps) {
  const isPassword = type === "password";
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <Input
          id={id}
          type={type}
          required={required}
          minLength={isPassword ? SHORTEST : undefined}
          maxLength={isPassword ? 1024 : 255}
          autoComplete={isPassword ? "new-password" : "off"}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function AdminSwitch({
  value,
  onChange,
  isDisabled,
}: {
  value: boolean;
  onChange: (is: boolean) => void;
  isDisabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="flex items-start gap-3">
      <Switch
        id={id}
        checked={value}
        onCheckedChange={onChange}
        disabled={isDisabled}
        aria-describedby={`${id}-hint`}
      />
      <div>
        <label htmlFor={id} className="font-medium">
          Administrator
        </label>
        <p id={`${id}-hint`} className="text-[0.8125rem] text-muted-foreground">
          {isDisabled
            ? "You cannot take this from yourself: another administrator can."
            : "Sees everybody's memories, and changes users, keys and the configuration."}
        </p>
      </div>
    </div>
  );
}

export function CreateUserDialog({ onClose }: { onClose: () => void }) {
  const make = useMakeUser();
  const [userId, setUserId] = useState("");
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [isAdmin, setAdmin] = useState(false);
  const submit = () =>
    make.mutate(
      {
        user_id: userId.trim(),
        name: name.trim() || null,
        email: email.trim() || null,
        password: password || null,
        is_admin: isAdmin,
      },
      { onSuccess: onClose },
    );
  return (
    <FormDialog
      title="New user"
      action="Make the user"
      isPending={make.isPending}
      error={make.error?.message}
      onSubmit={submit}
      onClose={onClose}
    >
      <Text
        label="User id"
        hint="What protocols call them, and what they sign in by. It stays as it is."
        value={userId}
        onChange={setUserId}
        required
      />
      <Text label="Name" value={name} onChange={setName} />
      <Text label="Email" type="email" value={email} onChange={setEmail} />
      <Text
        label="Password"
        type="password"
        hint={`At least ${SHORTEST} characters. Without one they can use keys, but not sign in.`}
        value={password}
        onChange={setPassword}
      />
      <AdminSwitch value={isAdmin} onChange={setAdmin} />
    </FormDialog>
  );
}

export function EditUserDialog({ user, isMe, onClose }: { user: User; isMe: boolean; onClose: () => void }) {
  const change = useChangeUser();
  const [name, setName] = useState(user.name ?? "");
  const [email, setEmail] = useState(user.email ?? "");
  const [isAdmin, setAdmin] = useState(user.is_admin);
  const submit = () => {
    const rights = isAdmin === user.is_admin ? {} : { is_admin: isAdmin };
    const changed = { name: name.trim() || null, email: email.trim() || null, ...rights };
    change.mutate({ userId: user.user_id, change: changed, done: "Saved" }, { onSuccess: onClose });
  };
  return (
    <FormDialog
      title={`Edit ${user.user_id}`}
      action="Save"
      isPending={change.isPending}
      error={change.error?.message}
      onSubmit={submit}
      onClose={onClose}
    >
      <Text label="Name" value={name} onChange={setName} />
      <Text label="Email" type="email" value={email} onChange={setEmail} />
      <AdminSwitch value={isAdmin} onChange={setAdmin} isDisabled={isMe} />
    </FormDialog>
  );
}

export function PasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const change = useChangeUser();
  const [password, setPassword] = useState("");
  const set = (value: string | null) =>
    change.mutate(
      {
        userId: user.user_id,
        change: { password: value },
        done: value ? `${user.user_id} has a new password` : `${user.user_id} cannot sign in by password any more`,
      },
      { onSuccess: onClose },
    );
  return (
    <FormDialog
      title={`Password of ${user.user_id}`}
      action="Set the password"
      isPending={change.isPending}
      error={change.error?.message}
      onSubmit={() => set(password)}
      onClose={onClose}
    >
      <p className="text-muted-foreground">All their sessions end. Their keys stay as they are.</p>
      <input type="hidden" name="username" autoComplete="username" value={user.user_id} readOnly />
      <Text
        label="New password"
        type="password"
        hint={`At least ${SHORTEST} characters.`}
        value={password}
        onChange={setPassword}
        required
      />
      {user.has_password && (
        <Button variant="link" size="inline" className="justify-self-start" onClick={() => set(null)}>
          Take the password away instead
        </Button>
      )}
    </FormDialog>
  );
}
