/**
 * Calling what an application has given us, whose faults are not ours.
 *
 * @module
 */

/** Calls an application's function; what it throws is reported by the platform, as of any task. */
export function guarded<T>(callback: (value: T) => void, value: T): void {
  try {
    callback(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
