/** Reporter of Stryker that prints each survivor when it is found, so that a run that is stopped has told what it saw. */
export const strykerPlugins = [
  {
    kind: 'Reporter',
    name: 'survivors',
    value: {
      /** @param {{ status: string, fileName: string, location: { start: { line: number, column: number } }, mutatorName: string, replacement?: string }} mutant */
      onMutantTested({ status, fileName, location: { start }, mutatorName, replacement }) {
        if (status === 'Killed' || status === 'Ignored') return;
        console.log(`${status}: ${fileName}:${start.line}:${start.column} ${mutatorName} -> ${replacement}`);
      },
    },
  },
];
