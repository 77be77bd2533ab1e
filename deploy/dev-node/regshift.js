#!/usr/bin/env node
// `npx regshift` in a clone of the repository: the sources, as they are. The npm package has its own.
import '../../src/start.js';
