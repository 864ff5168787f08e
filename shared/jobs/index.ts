/**
 * Streaming MapReduce over event-time windows: map -> combine -> key -> window -> reduce -> sink, in one process or with a keyed
 * shuffle between the sides, with the same bytes either way.
 * @module
 */

export { MapSide, ReduceSide, RunningJob, runJob, type Emit, type Job, type JobOutput, type Partial } from './job.ts';
export { capacityOf, type Capacity, type CapacityInput } from './capacity.ts';
