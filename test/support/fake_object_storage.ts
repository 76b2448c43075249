// The storage of a faked Durable Object: the host's calls over the runtime's own SQLite, with what
// the host refuses refused here too.

import type { DatabaseSync, StatementSync } from "node:sqlite";

type Value = null | number | string | Uint8Array | ArrayBuffer;
type Row = Record<string, unknown>;

const BINDINGS_MAX = 100;
/** What the host keeps for itself. */
const FORBIDDEN = /^\s*(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|VACUUM)\b/i;

export class FakeStorage {
  /** The instant of the alarm, if one is set. */
  alarm: number | null = null;
  readonly sql: FakeSql;
  readonly #database: DatabaseSync;
  #depth = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.sql = new FakeSql(database);
  }

  transactionSync<T>(action: () => T): T {
    const name = `t${++this.#depth}`;
    this.#database.exec(`SAVEPOINT ${name}`);
    try {
      const result = action();
      this.#database.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${name}`);
      this.#database.exec(`RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  getAlarm(): Promise<number | null> {
    return Promise.resolve(this.alarm);
  }

  setAlarm(at: number | Date): Promise<void> {
    this.alarm = Number(at);
    return Promise.resolve();
  }

  deleteAlarm(): Promise<void> {
    this.alarm = null;
    return Promise.resolve();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

class FakeSql {
  readonly #database: DatabaseSync;
  /** By their text, as the host has them. */
  readonly #prepared: Map<string, Prepared> = new Map();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get databaseSize(): number {
    return 4096;
  }

  exec(sql: string, ...values: readonly Value[]): FakeCursor {
    if (FORBIDDEN.test(sql)) throw new Error(`The host does not allow this: ${sql}`);
    if (values.length > BINDINGS_MAX) throw new Error(`${values.length} values are too many`);
    // Several statements in one text come without values.
    if (values.length === 0 && /;\s*\S/.test(sql)) {
      this.#database.exec(sql);
      return new FakeCursor([], [], 0);
    }
    const bound = values.map((value) =>
      value instanceof ArrayBuffer ? new Uint8Array(value) : value
    );
    const { statement, columns } = this.#prepare(sql);
    if (columns.length === 0) {
      return new FakeCursor([], [], Number(statement.run(...bound).changes));
    }
    const rows = statement.all(...bound) as unknown as unknown[][];
    return new FakeCursor(columns, rows.map((row) => row.map(toHost)), 0);
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const columns = statement.columns().map(({ name }) => name);
    // deno-lint-ignore no-explicit-any -- the types of some runtimes do not know what all can do
    if (columns.length > 0) (statement as any).setReturnArrays(true);
    const prepared = { statement, columns };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** Bytes come as a buffer of their own. */
function toHost(value: unknown): unknown {
  return value instanceof Uint8Array ? Uint8Array.from(value).buffer : value;
}

class FakeCursor implements Iterable<Row> {
  readonly columnNames: readonly string[];
  readonly rowsWritten: number;
  readonly #rows: readonly (readonly unknown[])[];

  constructor(names: readonly string[], rows: readonly (readonly unknown[])[], written: number) {
    this.columnNames = names;
    this.#rows = rows;
    this.rowsWritten = written;
  }

  get rowsRead(): number {
    return this.#rows.length;
  }

  *raw(): IterableIterator<readonly unknown[]> {
    yield* this.#rows;
  }

  *[Symbol.iterator](): IterableIterator<Row> {
    for (const row of this.#rows) {
      yield Object.fromEntries(this.columnNames.map((name, i) => [name, row[i]]));
    }
  }

  toArray(): Row[] {
    return [...this];
  }

  one(): Row {
    const rows = this.toArray();
    if (rows.length !== 1) throw new Error(`There are ${rows.length} rows instead of one`);
    return rows[0]!;
  }
}
