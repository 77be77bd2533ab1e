import type { ClientProgram } from './client.ts';
import { containerd } from './containerd.ts';
import { docker } from './docker.ts';
import { podman } from './podman.ts';
import { skopeo } from './skopeo.ts';

/** Each pulls with code of its own, but for podman and skopeo, which share a library. */
export const clientPrograms: readonly ClientProgram[] = [skopeo, containerd, podman, docker];
