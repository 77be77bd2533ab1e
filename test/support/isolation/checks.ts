import type { Answered } from './ask.ts';
import { accessComplaint, type OracleSettings } from './oracle-access.ts';
import { bytesComplaint, type Representations } from './oracle-bytes.ts';
import { markerComplaint } from './oracle-markers.ts';
import { refusalComplaint } from './oracle-refusals.ts';
import type { World } from './world.ts';

/** Violations of a response, by rule. */
export type Complaints = Readonly<Partial<Record<'access' | 'markers' | 'refusal' | 'bytes', string>>>;

/** Creates the oracle, which derives the allowed responses from the history of rights and faults alone. */
export function createOracle(world: World, settings: OracleSettings): (answered: Answered) => Complaints {
  const seen: Representations = new Map();
  return (answered) => {
    const found = {
      access: accessComplaint(world, settings, answered),
      markers: markerComplaint(world, answered),
      refusal: refusalComplaint(world, answered),
      bytes: bytesComplaint(world, seen, answered),
    };
    return Object.fromEntries(Object.entries(found).filter(([, complaint]) => complaint !== undefined));
  };
}
