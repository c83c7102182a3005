"use client";

/** Users: who has memories here. For admins. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useOwner } from "./owner";

export type User = Schemas["UserLine"];
export type NewUser = Schemas["UserIn"];
export type UserChange = Partial<Schemas["UserChanges"]>;

export const USERS_A_PAGE = 50;

export function useUsers(name: string, page: number) {
  return useQuery({
    queryKey: ["users", name, page],
    queryFn: () =>
      body(api.GET("/users", { params: { query: { name: name || undefined, page, size: USERS_A_PAGE } } })),
    placeholderData: keepPreviousData,
  });
}

/** What is wrong is said beside the form. */
export function useMakeUser() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wanted: NewUser) => body(api.POST("/users", { body: wanted })),
    onSuccess: ({ user_id }) => {
      notify.done(`${user_id} is here`);
      return queries.invalidateQueries({ queryKey: ["users"] });
    },
  });
}

type Changed = { userId: string; change: UserChange; done: string };

/** Changes what is named: at once on the screen, and back if the server refuses. */
export function useChangeUser() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, change }: Changed) =>
      body(api.PUT("/users/{user_id}", { params: { path: { user_id: userId } }, body: change })),
    onMutate: async ({ userId, change }) => {
      await queries.cancelQueries({ queryKey: ["users"] });
      const before = queries.getQueriesData({ queryKey: ["users"] });
      const { password: _, ...shown } = change;
      queries.setQueriesData<Schemas["Page_UserLine_"]>(
        { queryKey: ["users"] },
        (page) =>
          page && {
            ...page,
            items: page.items.map((user) => (user.user_id === userId ? { ...user, ...shown } : user)),
          },
      );
      return before;
    },
    onSuccess: (_, { done }) => notify.done(done),
    onError: (error, _, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify.failed(error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
}

/** Removes a user with all that is theirs, for good. */
export function useRemoveUser() {
  const queries = useQueryClient();
  const { owner, choose } = useOwner();
  return useMutation({
    mutationFn: (userId: string) => body(api.DELETE("/users/{user_id}", { params: { path: { user_id: userId } } })),
    onSuccess: ({ user_id, memories }) => {
      if (owner === user_id) choose(undefined);
      notify.done(`${user_id} is gone, and ${counted(memories, "memory", "memories")}`);
    },
    onSettled: () => queries.invalidateQueries(), // what was theirs is in every list
  });
}
