// mem0's own client from npm against the server at argv[2]; prints what it saw as JSON.
const { MemoryClient } = require("mem0ai");

const host = process.argv[2];
const client = new MemoryClient({ apiKey: process.env.KEY, host });
const seen = {};
const texts = (found) => found.results.map((one) => one.memory);
const fails = async (call) => {
  try {
    await call();
  } catch (error) {
    return [error.name, error.message];
  }
  throw new Error("it was to fail");
};

const main = async () => {
  await client.ping();
  const queued = await client.add([{ role: "user", content: "I love tea" }], { userId: "ann", infer: false });
  seen.queued = [queued.status, typeof queued.eventId];
  const said = [{ role: "user", content: "I moved to Porto" }];
  const made = await client.add(said, { userId: "bob", asyncMode: false, infer: false, metadata: { someKey: 1 } });
  const id = made.results[0].id;
  const one = await client.get(id);
  seen.got = [one.memory, one.userId, one.metadata, one.createdAt.slice(0, 2)];
  const page = await client.getAll({ filters: { user_id: "bob" }, page: 1, pageSize: 1 });
  seen.page = [page.count, page.next, texts(page)];
  seen.found = texts(await client.search("where", { filters: { AND: [{ user_id: "bob" }] }, topK: 3 }));
  const changed = await client.update(id, { text: "I moved to Faro", expirationDate: "2999-01-02" });
  seen.updated = [changed.memory, changed.expirationDate];
  seen.history = (await client.history(id)).map((step) => [step.event, step.oldMemory, step.newMemory]);
  seen.users = (await client.users({ page: 1, pageSize: 9 })).results.map((user) => user.name).includes("bob");
  seen.batch = await client.batchUpdate([{ memoryId: id, text: "I moved to Beja" }]);
  seen.feedback = (await client.feedback({ memoryId: id, feedback: "VERY_NEGATIVE", feedbackReason: "no" })).message;
  const order = await client.createMemoryExport({ schema: { type: "object" }, filters: { user_id: "bob" } });
  seen.export = (await client.getMemoryExport({ memoryExportId: order.id })).memories.map((kept) => kept.memory);
  await client.updateProject({ customInstructions: "Be brief" });
  seen.project = await client.getProject({ fields: ["customInstructions"] });
  seen.profile = (await client.getProfile({ entityId: "bob" })).status;
  seen.unknown = (await fails(() => client.get("00000000-0000-4000-8000-000000000000")))[0];
  seen.webhooks = await fails(() => client.getWebhooks());
  seen.deleted = [await client.batchDelete([id]), await client.deleteAll({ userId: "ann" })];
  seen.usersDeleted = await client.deleteUsers({ userId: "bob" });
};

main().then(() => console.log(JSON.stringify(seen)));
