#!/usr/bin/env node
// `npx regshift` in a clone of the repository runs the sources. The npm package has its own command.
import '../../src/start.js';
