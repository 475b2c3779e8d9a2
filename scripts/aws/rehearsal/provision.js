// Stand-in for AWS's fleet provisioning: signs requests with the authority of scripts/broker.sh, so that the certificate then connects
// for real, and registers things for those who show the token. It forgets all with its process, as AWS forgets a token after an hour.
// Source: AWS IoT Core developer guide, "Device provisioning MQTT API".
const crypto = require('crypto')
const path = require('path')
const {execFileSync} = require('child_process')
const {parseArgs} = require('util')
const {serve} = require('./service')

const {broker} = parseArgs({options: {broker: {type: 'string'}, port: {type: 'string'}}}).values
const authority = suffix => path.join(broker, `ca.${suffix}`)
const issued = new Map() // token: the certificate's id

function sign(request) {
  const serial = '0x' + crypto.randomBytes(16).toString('hex')
  return execFileSync('openssl', ['x509', '-req', '-CA', authority('crt'), '-CAkey', authority('key'), '-days', '1', '-set_serial', serial],
    {input: request, stdio: ['pipe', 'pipe', 'ignore'], encoding: 'utf8'})
}

class Refused extends Error {
  constructor(statusCode, errorCode, errorMessage) {
    super(errorMessage)
    this.answer = {statusCode, errorCode, errorMessage}
  }
}

const create = ({certificateSigningRequest: request}) => {
  let certificatePem
  try {
    certificatePem = sign(request)
  } catch {
    throw new Refused(400, 'InvalidCertificateSigningRequest', 'The certificate signing request is not valid.')
  }
  const certificateId = new crypto.X509Certificate(certificatePem).fingerprint256.replace(/:/g, '').toLowerCase()
  const certificateOwnershipToken = crypto.randomBytes(32).toString('base64')
  issued.set(certificateOwnershipToken, certificateId)
  console.log(`issued ${certificateId}`)
  return {certificateId, certificatePem, certificateOwnershipToken}
}

const register = ({certificateOwnershipToken: token, parameters}) => {
  if (!issued.has(token)) throw new Refused(400, 'InvalidCertificateOwnershipToken', 'Certificate ownership token is expired or invalid.')
  const thingName = parameters && parameters.ThingName
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thingName)) throw new Refused(400, 'InvalidParameters', 'The template needs ThingName.')
  console.log(`registered ${thingName} ${issued.get(token)}`)
  return {deviceConfiguration: {}, thingName}
}

// As AWS: a topic's answer goes to .../accepted or .../rejected.
const answered = (topic, answer) => (payload, levels, publish) => {
  const asked = topic.replace('+', levels[0])
  try {
    publish(`${asked}/accepted`, answer(JSON.parse(payload)))
  } catch (problem) {
    console.log(`refused ${problem.message}`)
    publish(`${asked}/rejected`, problem.answer || {statusCode: 400, errorCode: 'InvalidPayload', errorMessage: 'The payload is not valid.'})
  }
}

const [certificates, things] = ['$aws/certificates/create-from-csr/json', '$aws/provisioning-templates/+/provision/json']
serve('provision', {[certificates]: answered(certificates, create), [things]: answered(things, register)})
