/**
 * Ends the process with this exit code, although a file operation may hang. `process.exit` waits for all threads of
 * libuv's pool (libuv, `uv__threadpool_cleanup` in src/threadpool.c), and a thread in a system call that hangs never
 * ends. The system ends all threads of a process that executes another program (execve(2)), also of process 1 of a
 * container, which no signal of its own ends.
 * @param mayHang whether an operation is in progress that may never end.
 */
export function endProcess(code: number, mayHang: boolean): never {
  if (!mayHang) process.exit(code);
  try {
    process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {});
  } catch {
    // Windows has no such call.
  }
  process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}
