import type { ClientProgram } from './client.ts';
import { containerd } from './containerd.ts';
import { docker } from './docker.ts';
import { podman } from './podman.ts';
import { skopeo } from './skopeo.ts';

/** The client programs. Each has its own code, except that podman and skopeo share a library. */
export const clientPrograms: readonly ClientProgram[] = [skopeo, containerd, podman, docker];
