/**
 * The facts of a proto file as sentences that can be compared: one for each field, enum value and method. Understands as much of the
 * language as containerd's files use.
 */
export function parseProto(text: string): readonly string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  const name = /^package ([\w.]+);/m.exec(code)?.[1] ?? '';
  const scopes: string[] = [name];
  const facts: string[] = [];
  const statement = /(?:message|enum|service) (\w+)\s*\{|\}|([^{};]+);/g;
  for (const [whole, scope, body] of code.matchAll(statement)) {
    if (scope !== undefined) scopes.push(scope);
    else if (whole === '}') scopes.pop();
    else facts.push(...factOf(scopes, (body ?? '').replaceAll(/\[[\s\S]*\]/g, '').trim()));
  }
  return facts;
}

function factOf(scopes: readonly string[], body: string): string[] {
  const owner = scopes.join('.');
  const method = /^rpc (\w+)\s*\(([^)]+)\) returns \(([^)]+)\)$/.exec(body);
  if (method !== null) {
    const [, name, input = '', output = ''] = method;
    return [`${owner}.${name}(${typeName(input)}) answers ${typeName(output)}`];
  }
  const field = /^((?:repeated )?(?:map<[^>]+>|[\w.]+))\s+(\w+)\s*=\s*(\d+)$/.exec(body);
  if (field !== null && scopes.length > 1) return [`${owner}.${field[2]} = ${field[3]}: ${typeName(field[1] ?? '')}`];
  const value = /^(\w+)\s*=\s*(\d+)$/.exec(body);
  return value === null || scopes.length === 1 ? [] : [`${owner}.${value[1]} = ${value[2]}`];
}

/** Types may be named from where they are used (`types.Mount`) or in full: their last part is compared. */
function typeName(type: string): string {
  return type
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\w.]+\.(\w+)/g, '$1');
}
