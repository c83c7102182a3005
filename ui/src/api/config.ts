"use client";

/** The configuration: read, tried, changed. What may be in it is the server's to say: providers, keys, limits. */

import { hashKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";

export type SectionName = Schemas["TestRequest"]["name"];
export type Values = Record<string, unknown>;
/** A section of `mem0`. */
export type Provided = { provider: string | null; config: Values };
export type Category = { name: string; description: string };
export type Rule = {
  name: string;
  app?: string | null;
  category?: string | null;
  archive_after_days?: number | null;
  archive_after_days_without_access?: number | null;
};
export type OpenMemory = {
  custom_instructions: string | null;
  categories: Category[];
  category_threshold: number;
  max_categories: number;
  rerank: boolean;
  rerank_depth: number;
  rerank_budget_ms: number;
  retention: Rule[];
  purge_after_days: number | null;
  duplicate_threshold: number;
  llm_timeout: number;
  review_with_llm: boolean;
};
export type Configuration = { openmemory: OpenMemory; mem0: Record<SectionName, Provided> };
export type Choices = Schemas["Providers"]["llm"];
export type ProviderChoice = Choices["providers"][number];
export type Key = ProviderChoice["keys"][number];
export type TestAnswer = Schemas["TestAnswer"];

type Property = {
  type?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  anyOf?: Property[];
};
/** As much of the JSON Schema as is looked at here. */
export type ConfigSchema = {
  $defs: Record<string, { properties: Record<string, Property> }>;
  default: Configuration;
};

const CONFIG = ["config", "itself"];

async function asked(answer: Promise<unknown>): Promise<Configuration> {
  return (await answer) as Configuration; // the server's shapes leave every key open; this is what it answers
}

const read = () => asked(body(api.GET("/config")));

/** The effective configuration, secrets masked; with `refetch` as it is this moment. */
export function useConfig() {
  return useQuery({ queryKey: CONFIG, queryFn: read });
}

/** What a configuration has to be like, and its defaults. */
export function useConfigSchema() {
  return useQuery({
    queryKey: ["config", "schema"],
    queryFn: async () => (await body(api.GET("/config/schema"))) as unknown as ConfigSchema,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useProviders() {
  return useQuery({
    queryKey: ["config", "providers"],
    queryFn: () => body(api.GET("/config/providers")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** One real call to what stands in a form. What the provider refuses is an answer, no error. */
export function useTest(name: SectionName) {
  return useMutation({
    mutationFn: (section: Provided) => body(api.POST("/config/test", { body: { name, section } })),
  });
}

/** `PUT` replaces the sections that are sent, `PATCH` changes only the keys that are named; both answer the whole. */
export function useSaveConfig() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ method, sent }: { method: "PUT" | "PATCH"; sent: unknown }) =>
      asked(
        body(
          method === "PUT"
            ? api.PUT("/config", { body: sent as never })
            : api.PATCH("/config", { body: sent as never }),
        ),
      ),
    onSuccess: (saved) => {
      queries.setQueryData(CONFIG, saved);
      for (const queryKey of [["overview", "index"], ["retention"]]) void queries.invalidateQueries({ queryKey });
    },
  });
}

/** Everything back to the server's defaults, secrets too. */
export function useResetConfig() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => asked(body(api.POST("/config/reset"))),
    onSuccess: (saved) => {
      queries.setQueryData(CONFIG, saved);
      void queries.invalidateQueries({ queryKey: ["overview", "index"] });
      notify.done("The configuration is that of a new server");
    },
    onError: (error) => notify.failed(error.message),
  });
}

/** Whether two values say the same, whatever the order of their keys. */
export function same(one: unknown, other: unknown): boolean {
  return hashKey([one]) === hashKey([other]);
}

export type Limits = { min?: number; max?: number; maxLength?: number; isWhole: boolean };

/** The limits of a key of one of the schema's definitions. */
export function limits(schema: ConfigSchema, definition: string, key: string): Limits {
  const property = schema.$defs[definition]?.properties[key];
  const found = property?.anyOf?.find(({ type }) => type !== "null") ?? property;
  return {
    min: found?.minimum,
    max: found?.maximum,
    maxLength: found?.maxLength,
    isWhole: found?.type === "integer",
  };
}
