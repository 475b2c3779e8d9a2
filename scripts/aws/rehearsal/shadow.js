// AWS IoT Core's device shadow service for named shadows of any thing, by its developer guide: "Interacting with shadows", "Device
// Shadow MQTT topics", "service documents", "error messages". In memory; what AWS does about rights, speed and money is not here.
const http = require('http')
const {serve} = require('./service')

const maxBytes = 8192
const maxLevels = 6
const keptSeconds = 48 * 3600 // a deleted shadow's version

class Refused extends Error {
  constructor(code, message, clientToken) {
    super(message)
    Object.assign(this, {code, clientToken})
  }
}

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)
const levels = value => value !== null && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0
const holdsNull = value => Array.isArray(value) && value.some(item => item === null || holdsNull(item))
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

// "Fields with a value of null are removed"; leaf: what is kept of a value.
function merge(into, from, leaf = value => value) {
  for (const [key, value] of Object.entries(from)) {
    if (value === null) delete into[key]
    else if (isObject(value)) into[key] = merge(isObject(into[key]) ? into[key] : {}, value, leaf)
    else into[key] = leaf(value)
  }
  return into
}

// "only the desired attributes that differ between the desired and reported sections"
function difference(desired = {}, reported = {}) {
  const found = {}
  for (const [key, value] of Object.entries(desired)) {
    if (isObject(value) && isObject(reported[key])) {
      const inner = difference(value, reported[key])
      if (Object.keys(inner).length) found[key] = inner
    } else if (!same(value, reported[key])) found[key] = value
  }
  return found
}

// The same attributes of the metadata.
const picked = (of, metadata) => Object.fromEntries(Object.entries(of).map(([key, value]) =>
  [key, isObject(value) ? picked(value, metadata[key]) : metadata[key]]))

function parse(payload) {
  if (payload.length > maxBytes) throw new Refused(413, 'The payload exceeds the maximum size allowed')
  let text, request
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(payload)
  } catch {
    throw new Refused(415, 'Unsupported documented encoding; supported encoding is UTF-8')
  }
  try {
    request = JSON.parse(text)
  } catch {
    throw new Refused(400, 'Invalid JSON')
  }
  if (!isObject(request)) throw new Refused(400, 'Invalid JSON')
  const token = request.clientToken
  if (token !== undefined && (typeof token !== 'string' || Buffer.byteLength(token) > 64)) throw new Refused(400, 'Invalid clientToken')
  return request
}

function check(request) {
  const refuse = (code, message) => { throw new Refused(code, message, request.clientToken) }
  const {state, version} = request
  if (state === undefined) refuse(400, 'Missing required node: state')
  if (!isObject(state)) refuse(400, 'State node must be an object')
  for (const [part, name] of [['desired', 'Desired'], ['reported', 'Reported']]) {
    if (![undefined, null].includes(state[part]) && !isObject(state[part])) refuse(400, `${name} node must be an object`)
  }
  if (Object.keys(state).some(part => !['desired', 'reported'].includes(part))) refuse(400, 'State contains an invalid node')
  if (version !== undefined && !Number.isInteger(version)) refuse(400, 'Invalid version')
  if (levels(state) - 1 > maxLevels) refuse(400, `JSON contains too many levels of nesting; maximum is ${maxLevels}`)
  if (Object.values(state).some(part => isObject(part) && Object.values(part).some(holdsNull))) refuse(400, 'State contains an invalid node')
}

class Shadows {
  constructor(now = () => Math.floor(Date.now() / 1000)) {
    this.now = now
    this.all = new Map() // by thing and name: {state, metadata, version}, or {version, deleted} of one that is gone
  }

  // What is published when payload, a Buffer, comes on .../thing/shadow/name/NAME/operation: [topic behind NAME, body]...
  answer(operation, thing, name, payload) {
    try {
      return this[operation](`${thing}/${name}`, name, payload)
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem
      return [[`${operation}/rejected`, this.stamped({code: problem.code, message: problem.message}, problem.clientToken)]]
    }
  }

  stamped(body, clientToken) {
    return {...body, timestamp: this.now(), ...(clientToken === undefined ? {} : {clientToken})}
  }

  existing(key, name, clientToken) {
    const shadow = this.all.get(key)
    if (!shadow || !shadow.state) throw new Refused(404, `No shadow exists with name: '${name}'`, clientToken)
    return shadow
  }

  get(key, name, payload) {
    const {clientToken} = payload.length ? parse(payload) : {}
    const {state, metadata, version} = this.existing(key, name, clientToken)
    const delta = difference(state.desired, state.reported)
    const shown = Object.keys(delta).length ? {...state, delta} : state
    return [['get/accepted', this.stamped({state: shown, metadata, version}, clientToken)]]
  }

  delete(key, name) {
    const {version} = this.existing(key, name)
    this.all.set(key, {version, deleted: this.now()})
    return [['delete/accepted', this.stamped({version})]]
  }

  update(key, name, payload) {
    const request = parse(payload)
    check(request)
    const {clientToken} = request
    let before = this.all.get(key)
    if (!before || (!before.state && this.now() - before.deleted > keptSeconds)) before = {version: 0}
    if (request.version !== undefined && request.version !== before.version) throw new Refused(409, 'Version conflict', clientToken)
    const stamp = () => ({timestamp: this.now()})
    const state = merge(structuredClone(before.state || {}), request.state)
    if (Buffer.byteLength(JSON.stringify(state)) > maxBytes) throw new Refused(413, 'The payload exceeds the maximum size allowed', clientToken)
    const metadata = merge(structuredClone(before.metadata || {}), request.state, stamp)
    const after = {state, metadata, version: before.version + 1}
    this.all.set(key, after)
    const answers = [['update/accepted', this.stamped(
      {state: request.state, metadata: merge({}, request.state, stamp), version: after.version}, clientToken)]]
    const delta = difference(state.desired, state.reported)
    if (Object.keys(delta).length) {
      answers.push(['update/delta', this.stamped(
        {state: delta, metadata: picked(delta, metadata.desired), version: after.version}, clientToken)])
    }
    const whole = shadow => ({state: shadow.state, metadata: shadow.metadata, version: shadow.version})
    answers.push(['update/documents', this.stamped({previous: before.state ? whole(before) : null, current: whole(after)}, clientToken)])
    return answers
  }
}

// The data plane's REST API, as aws iot-data calls it, on a free port of loopback: the answer goes there, and on no topic.
function listen(answer) {
  const operations = {GET: 'get', POST: 'update', DELETE: 'delete'}
  const server = http.createServer((request, response) => {
    const {pathname, searchParams} = new URL(request.url, 'http://localhost')
    const thing = (pathname.match(/^\/things\/([^/]+)\/shadow$/) || [])[1]
    const operation = operations[request.method]
    const chunks = []
    request.on('data', chunk => chunks.push(chunk)).on('end', () => {
      const found = thing && operation && searchParams.get('name')
      const body = found ? answer(operation, thing, searchParams.get('name'), Buffer.concat(chunks)) : {code: 404, message: 'no such path'}
      response.writeHead(body.code || 200, {'Content-Type': 'application/json'}).end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(`http ${server.address().port}`))
}

// One line on standard output for each update: the shadow, and what its state is now.
function main() {
  const shadows = new Shadows()
  const tell = (thing, name, answers, publish) => {
    for (const [topic, body] of answers) {
      publish(`$aws/things/${thing}/shadow/name/${name}/${topic}`, body)
      if (topic === 'update/documents') console.log(`${thing}/${name} ${JSON.stringify(body.current.state)}`)
    }
  }
  const publish = serve('shadow', Object.fromEntries(['get', 'update', 'delete'].map(operation => [
    `$aws/things/+/shadow/name/+/${operation}`,
    (payload, [thing, name]) => tell(thing, name, shadows.answer(operation, thing, name, payload), publish)])))
  listen((operation, thing, name, payload) => {
    const [[, body], ...others] = shadows.answer(operation, thing, name, payload)
    tell(thing, name, others, publish)
    return body
  })
}

if (require.main === module) main()
module.exports = {Shadows}
