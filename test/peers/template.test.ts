import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../src/cli/terminal/template.ts';
import { requirePeers, runProgram } from '../support/programs.ts';

const value = {
  image: 'alpine',
  zero: 0,
  text: '',
  stored: { digest: 'sha256:1', layers: ['a', 'b'], empty: [] },
  clients: [
    { client: 'a', losses: [] },
    { client: 'b', losses: ['x'] },
  ],
};

const templates = [
  '{{.image}} {{ .stored.digest }}',
  '{{json .stored.layers}} {{.image | json}} {{.image | upper | json}}',
  '{{len .stored.layers}} {{len .image}} {{index .stored "digest"}} {{index .stored.layers 1}}',
  '{{range .stored.layers}}[{{.}}]{{end}}{{range .stored.empty}}x{{else}}none{{end}}',
  '{{range .clients}}{{if .losses}}{{.client}} of {{$.image}}{{else}}-{{end}}{{end}}',
  '{{if .zero}}a{{else}}b{{end}}{{if .text}}a{{else}}b{{end}}{{if .stored}}a{{end}}{{if .nothing}}a{{end}}',
  'a {{- .image -}}  b {{ .image -}}\n c',
  '{{"}} and {{"}}{{`raw`}}{{"a\\tb"}}{{println .image}}{{join .stored.layers ", "}}',
  '{{.nothing}}',
];

/** Renders each template with Go's own package, and the functions that Docker adds. */
const program = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

func main() {
	var in struct {
		Value     map[string]any
		Templates []string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	functions := template.FuncMap{
		"json":  func(v any) string { text, _ := json.Marshal(v); return string(text) },
		"upper": strings.ToUpper,
		"lower": strings.ToLower,
		"join": func(list []any, separator string) string {
			var texts []string
			for _, each := range list {
				texts = append(texts, fmt.Sprint(each))
			}
			return strings.Join(texts, separator)
		},
	}
	out := []string{}
	for _, text := range in.Templates {
		var written strings.Builder
		if err := template.Must(template.New("").Funcs(functions).Parse(text)).Execute(&written, in.Value); err != nil {
			panic(err)
		}
		out = append(out, written.String())
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
`;

describe.skipIf(requirePeers('go'))('templates of --format', () => {
  test("print what Go's text/template prints", async () => {
    const home = await mkdtemp(join(tmpdir(), 'regshift-template-'));
    try {
      await writeFile(join(home, 'main.go'), program);
      await writeFile(join(home, 'in.json'), JSON.stringify({ value, templates }));
      const printed = await runProgram('sh', ['-c', 'go run main.go < in.json'], home);
      expect(templates.map((template) => parseTemplate(template)(value))).toEqual(JSON.parse(printed));
    } finally {
      await runProgram('chmod', ['-R', 'u+w', home], home);
      await rm(home, { recursive: true, force: true });
    }
  });
});
