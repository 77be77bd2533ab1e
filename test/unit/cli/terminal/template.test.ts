import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../../../src/cli/terminal/template.ts';

const value = {
  image: 'alpine',
  stored: { digest: 'sha256:1', size: 3, layers: [{ size: 1 }, { size: 2 }], empty: [] },
  clients: [
    { client: 'a', losses: [] },
    { client: 'b', losses: [{ kind: 'x' }] },
  ],
};

describe('a template', () => {
  test.each([
    ['', ''],
    ['{{.image}}', 'alpine'],
    ['{{ .stored.digest }} {{.stored.size}}', 'sha256:1 3'],
    ['{{json .stored.layers}}', '[{"size":1},{"size":2}]'],
    ['{{.stored.layers | json}}', '[{"size":1},{"size":2}]'],
    ['{{.image | upper | json}}', '"ALPINE"'],
    ['{{len .stored.layers}}', '2'],
    ['{{index .stored "digest"}}', 'sha256:1'],
    ['{{range .stored.layers}}[{{.size}}]{{end}}', '[1][2]'],
    ['{{range .stored.empty}}x{{else}}none{{end}}', 'none'],
    ['{{range .clients}}{{if .losses}}{{.client}} of {{$.image}}{{end}}{{end}}', 'b of alpine'],
    ['{{if .nothing}}a{{else}}b{{end}}', 'b'],
    ['{{.nothing}}', '<no value>'],
    ['a {{- .image -}} b', 'aalpineb'],
    ['{{"}} and {{"}}', '}} and {{'],
    ['{{"a\\tb"}}', 'a\tb'],
    ['{{println .image}}', 'alpine\n'],
    ['json', JSON.stringify(value)],
  ])('%s', (template, text) => {
    expect(parseTemplate(template)(value)).toBe(text);
  });

  test('takes the text of a function for no list', () => {
    const render = (text: string) => parseTemplate(text)({ name: 'abc', none: '' });
    expect(render('{{range .name | upper}}x{{else}}none{{end}}')).toBe('none');
    expect(render('{{index "abc" 0}}')).toBe('<no value>');
    expect(render('{{len "abc"}} {{if "" }}yes{{else}}no{{end}}')).toBe('3 no');
  });

  test('joins texts, and finds members of lists', () => {
    expect(parseTemplate('{{join .tags ", "}} {{index .tags 1}}')({ tags: ['a', 'b'] })).toBe('a, b b');
  });

  test.each([
    ['{{.hostile}}', '?[31m?'],
    ['{{range .list}}{{.}}{{end}}', '?[31m?'],
    ['{{index .list 0}}', '?[31m?'],
    ['{{println .hostile "a"}}', '?[31m? a\n'],
    ['{{join .list "\\n"}}{{"\\n"}}', '?[31m?\n'],
    ['{{.hostile | upper}}{{lower .hostile}}', '?[31M??[31m?'],
    ['{{.list}}', '["\\u001b[31m\\u202e"]'],
    ['{{json .hostile}}', '"\\u001b[31m\\u202e"'],
    ['{{.list | json}}', '["\\u001b[31m\\u202e"]'],
    ['{{.hostile | len}} {{len "ab"}} {{"ab" | len}}', '6 2 2'],
    ['{{if ""}}a{{else}}b{{end}}{{if "a"}}a{{end}}', 'ba'],
  ])('data do not control the terminal: %s', (template, text) => {
    const hostile = '\u001b[31m\u202e';
    expect(parseTemplate(template)({ hostile, list: [hostile] })).toBe(text);
  });

  test('reads no member of the language', () => {
    expect(parseTemplate('{{.constructor}} {{.stored.toString}}')(value)).toBe('<no value> <no value>');
  });

  test.each([
    ['{{.a', /has no }}/],
    ['{{range .a}}x', /has no {{end}}/],
    ['{{end}}', /no range or if before it/],
    ['{{}}', /empty/],
    ['{{template "x"}}', /template is not a function: use json, len/],
    ['{{.a .b}}', /is not a function/],
    ['{{a}}', /neither a field nor a value/],
    ['{{if .a}}a{{else if .b}}b{{end}}', /^else takes no condition: write {{else}}{{if …}}/],
    ['{{else if .b}}b{{end}}', /^else takes no condition/],
  ])('%s is refused', (template, why) => {
    expect(() => parseTemplate(template)).toThrow(why);
  });
});
