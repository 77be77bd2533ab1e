import { expect, test } from 'vitest';
import type { RedisCommands } from '../../../../../src/runtime/node/redis/client.ts';
import type { RedisConnection } from '../../../../../src/runtime/node/redis/connection.ts';
import { createSharedWrites } from '../../../../../src/runtime/node/redis/shared-writes.ts';

/** One value of a Redis. The tests with real programs cover a real one. */
function standIn() {
  const state = { value: Buffer.alloc(0), away: false, commands: 0 };
  const client: Partial<RedisCommands> = {
    getRange: async (_name: string, start: number, end: number) => state.value.subarray(start, end + 1),
    bitField: async (_name: string, operations) => {
      const last = Math.max(...operations.map(({ offset }) => Number(offset.slice(1))));
      const next = Buffer.alloc(Math.max(state.value.length, (last + 1) * 4));
      state.value.copy(next);
      state.value = next;
      return operations.map(({ offset, value }) => {
        const at = Number(offset.slice(1)) * 4;
        const before = next.readUInt32BE(at);
        next.writeUInt32BE(value, at);
        return before;
      });
    },
  };
  const connection: RedisConnection = {
    isDown: () => state.away,
    run: async (command) => {
      state.commands += 1;
      return state.away ? undefined : command(client as RedisCommands);
    },
    close: async () => {},
  };
  return { state, connection };
}

function replica(connection: RedisConnection) {
  const writes = createSharedWrites(connection);
  const heard: (number | 'gap')[] = [];
  writes.listen(
    (counter) => void heard.push(counter),
    () => void heard.push('gap'),
  );
  return { ...writes, heard };
}

/** The commands of a replica that were given before have had their answers. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function fleet() {
  const { state, connection } = standIn();
  const [one, other] = [replica(connection), replica(connection)];
  for (const each of [one, other]) {
    await each.look();
    each.heard.splice(0);
  }
  return { state, one, other };
}

test('a write is heard by the other replicas once, and not by its own', async () => {
  const { one, other } = await fleet();
  one.tell(0);
  one.tell(1023);
  await settled();
  for (const each of [one, other, one, other]) await each.look();
  expect([one.heard, other.heard]).toEqual([[], [0, 1023]]);
  one.tell(0);
  await settled();
  await other.look();
  expect(other.heard).toEqual([0, 1023, 0]);
});

test('writes that are told at once cost two commands', async () => {
  const { state, one, other } = await fleet();
  state.commands = 0;
  for (let write = 0; write < 1_000; write += 1) one.tell(write % 20);
  await settled();
  expect(state.commands).toBe(2);
  await other.look();
  expect(other.heard).toEqual([...Array(20).keys()]);
});

test('a write while Redis is away is told when it is back, and one that was missed is heard', async () => {
  const { state, one, other } = await fleet();
  state.away = true;
  one.tell(7);
  await settled();
  await other.look();
  state.away = false;
  await other.look();
  expect(other.heard).toEqual([]);
  await one.look();
  await other.look();
  expect([one.heard, other.heard]).toEqual([[], [7]]);
});

test('a replica hears of a write whose mark its own late one replaces', async () => {
  const { state, one, other } = await fleet();
  state.away = true;
  other.tell(7);
  await settled();
  state.away = false;
  // A client reads the tag through the other replica here, and the next write moves it.
  one.tell(7);
  await settled();
  await other.look();
  await one.look();
  expect([one.heard, other.heard]).toEqual([[7], [7]]);
});

test('a Redis that has lost the marks, or was not there at the start, makes replicas ask the registry again', async () => {
  const { state, one, other } = await fleet();
  one.tell(7);
  await settled();
  await other.look();
  state.value = Buffer.alloc(0);
  other.tell(9);
  await settled();
  await one.look();
  expect(one.heard).toEqual(['gap']);
  const late = standIn();
  late.state.away = true;
  const third = replica(late.connection);
  await third.look();
  expect(third.heard).toEqual([]);
  late.state.away = false;
  await third.look();
  expect(third.heard).toEqual(['gap']);
});
