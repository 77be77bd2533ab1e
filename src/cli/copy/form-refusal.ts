import { RegistryError } from '../../errors.ts';
import { formName } from '../../negotiation/format-names.ts';

/** Forms that registries of today or of 2015 refuse, by their short names: the words for each, and the way out. */
const remedies: ReadonlyMap<string, readonly [form: string, options: string]> = new Map([
  ['schema1', ['schema 1', '--as schema2 or --as oci']],
  ['generic', ['generic manifests', '--as schema2 or --as oci']],
  ['oci', ['OCI manifests', '--as schema2']],
  ['oci-index', ['OCI indexes', '--as schema2']],
]);

/**
 * Adds advice to the error of a pushed manifest whose form the target refuses. Any other error stays as it is.
 * @param mediaType the type of the manifest.
 */
export function withFormAdvice(error: unknown, mediaType: string): unknown {
  const name = formName(mediaType);
  const remedy = remedies.get(name);
  if (!(error instanceof RegistryError) || remedy === undefined || !refusesForm(error, name)) return error;
  const [form, options] = remedy;
  const { code, message, headers, detail } = error;
  const advice = `The target does not take ${form}. Use ${options}.`;
  return new RegistryError(code, message, { headers, detail: { ...detail, advice }, cause: error });
}

/**
 * Whether an error is the refusal of a form. docker-registry answers 400 MANIFEST_INVALID to a type that it does not know
 * (distribution 2.8, registry/handlers/manifests.go, PutManifest), and 500 UNKNOWN to schema 1, which its settings refuse
 * by default (registry/storage/v1unsupportedhandler.go). 500 for another form has another reason, like a full disk, or foreign
 * layers that the settings refuse. Others answer 415, or 400 and 405 without a code.
 */
function refusesForm({ detail }: RegistryError, form: string): boolean {
  const code = detail?.upstreamCode;
  switch (detail?.upstreamStatus) {
    case 400:
      return code === undefined || code === 'MANIFEST_INVALID';
    case 405:
    case 415:
      return true;
    case 500:
      return code === 'UNKNOWN' && form === 'schema1';
    default:
      return false;
  }
}
