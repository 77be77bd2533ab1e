/**
 * The signature of the payload that `schema1Signed` builds for `sample/schema1`, made once with a P-256 key that
 * was then thrown away: ES256 needs randomness, and the sample must be the same bytes everywhere. When the
 * payload changes, the test of the signature fails: sign the new payload, and put the block here.
 */
export const schema1Signature = {
  header: {
    jwk: {
      crv: 'P-256',
      kid: 'WYBS:CSCH:A22S:XLES:ISAS:GMJX:54KF:DNWF:BYCU:USXP:TNX4:OE4F',
      kty: 'EC',
      x: 'iaG6hLsiRf8ZY8Du566qUNfCznCkiUtxcX0yy563XM8',
      y: 'Db53KvNZFRj8-4Op3LaMnsjtnaDBm4zSOaOrJr3ftzQ',
    },
    alg: 'ES256',
  },
  signature: 'cbv-JPh1zJjzsOzGb8X9i34euCDSzyHrRkHNXflvxGGk8KPHdbpkMnUJjPPhiDILSLf7m7GSI6xCAYwubkINng',
  protected: 'eyJmb3JtYXRMZW5ndGgiOjI0MDksImZvcm1hdFRhaWwiOiJDbjAiLCJ0aW1lIjoiMjAxNS0xMS0yMFQxMjowMDowMloifQ',
} as const;
