// Signs in with openid-client, a client that somebody else wrote, in every way
// that a system can, and prints what came of it. thirdparty_test.go runs it.
import * as client from 'openid-client'

const { issuer, secretID, secret, keyID, jwk, kid } = JSON.parse(process.argv[2])
const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
const resource = new URL('/v1/system', issuer)
const out = {}

// use gives the status of a request with a token.
async function use(config, token, dpop) {
  try {
    const answer = await client.fetchProtectedResource(config, token, resource, 'GET', undefined, undefined, dpop)
    return answer.status
  } catch (e) {
    return e.response?.status ?? e.cause?.status ?? e.status ?? String(e)
  }
}

async function discover(id, authentication) {
  return client.discovery(new URL(issuer), id, undefined, authentication, options)
}

{
  const config = await discover(secretID, client.ClientSecretBasic(secret))
  const token = await client.clientCredentialsGrant(config)
  out.secret = [token.token_type, await use(config, token.access_token)]
  await client.tokenRevocation(config, token.access_token)
  out.revoked = await use(config, token.access_token)
  const wrong = await discover(secretID, client.ClientSecretBasic('wrong'))
  out.wrong = await client.clientCredentialsGrant(wrong).then(() => 'accepted', (e) => e.error ?? e.status)
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
const config = await discover(keyID, client.PrivateKeyJwt({ key, kid }))
{
  const token = await client.clientCredentialsGrant(config)
  out.privateKeyJWT = [token.token_type, await use(config, token.access_token)]
}
{
  const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  const token = await client.clientCredentialsGrant(config, undefined, dpop)
  out.dpop = [token.token_type, await use(config, token.access_token, dpop), await use(config, token.access_token, dpop)]
  out.stolen = (await fetch(resource, { headers: { authorization: 'Bearer ' + token.access_token } })).status
  const thief = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  out.otherKey = await use(config, token.access_token, thief)
}
console.log(JSON.stringify(out))
