// What the stand-ins for AWS's reserved topics share (shadow.js, jobs.js, provision.js): a session with the rehearsal's broker as
// its user "subscriber", and which message goes to which function. Each is started as
//   node NAME.js --broker DIR --port N        DIR: the folder of scripts/broker.sh
// and prints "ready" once its subscriptions hold.
const fs = require('fs')
const path = require('path')
const {parseArgs} = require('util')

// The levels of a topic that the +s of a filter stand for, or null where it is none of the filter's.
function matched(filter, topic) {
  const want = filter.split('/'), have = topic.split('/')
  const fits = want.length === have.length && want.every((level, at) => level === '+' || level === have[at])
  return fits ? have.filter((_, at) => want[at] === '+') : null
}

function fail(problem) {
  console.error(problem)
  process.exit(69)
}

// routes: {FILTER: (payload, levels, publish) => ...}; payload: a Buffer; levels: what the filter's +s stand for; publish(topic, body): a
// Buffer or a text as it is, anything else as JSON. Gives back publish.
function serve(name, routes) {
  const mqtt = require('mqtt')
  const {broker, port} = parseArgs({options: {broker: {type: 'string'}, port: {type: 'string'}}}).values
  const read = file => fs.readFileSync(path.join(broker, file))
  const client = mqtt.connect({
    protocol: 'mqtts', host: 'localhost', port: Number(port), clientId: name, reconnectPeriod: 0,
    ca: read('ca.crt'), cert: read('subscriber.crt'), key: read('subscriber.key')
  })
  const publish = (topic, body) =>
    client.publish(topic, typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), {qos: 1})
  client.on('message', (topic, payload) => {
    for (const [filter, answer] of Object.entries(routes)) {
      const levels = matched(filter, topic)
      if (levels) answer(payload, levels, publish)
    }
  })
  client.on('connect', () => client.subscribe(Object.keys(routes), {qos: 1}, (problem, granted) => {
    const refused = problem || granted.find(one => one.qos > 2)
    if (refused) fail(`${name} cannot subscribe: ${problem || refused.topic}`)
    console.log('ready')
  }))
  client.on('error', problem => fail(`${name}: ${problem.message}`))
  client.on('close', () => fail(`${name}: the broker ended the session`))
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
  return publish
}

module.exports = {matched, serve}
