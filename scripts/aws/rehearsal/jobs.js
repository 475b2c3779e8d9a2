// AWS IoT Jobs as a device meets it, by its developer guide: "Jobs device MQTT API operations", "Jobs API operations: ErrorResponse".
// In memory; timeouts, rollouts and money are not here. In the place of aws iot create-job and cancel-job-execution come messages on
// $aws/rehearsal/jobs: {thing, jobId, document} and {thing, jobId, cancel: true}. Prints each change: THING/JOB STATUS DETAILS.
const {serve} = require('./service')

const terminal = ['SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELED']

class Refused extends Error {
  constructor(code, message, execution) {
    super(message)
    Object.assign(this, {code, execution})
  }
}

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)
const state = ({status, statusDetails, versionNumber}) => ({status, statusDetails, versionNumber})

function checkDetails(details) {
  if (details === undefined) return
  const isText = value => typeof value === 'string' && value.length <= 1024 && /^[^\p{C}]+$/u.test(value)
  const good = isObject(details) && Object.entries(details).every(([key, value]) => /^[a-zA-Z0-9:_-]{1,128}$/.test(key) && isText(value))
  if (!good) throw new Refused('InvalidRequest', 'Invalid statusDetails')
}

class Jobs {
  constructor(now = () => Math.floor(Date.now() / 1000), changed = () => {}) {
    Object.assign(this, {now, changed})
    this.all = new Map() // by thing: its executions, in the order in which they were created
  }

  of(thing) { return this.all.get(thing) || [] }

  // The one that start-next would give: in progress first.
  next(thing) {
    const by = status => this.of(thing).find(one => one.status === status)
    return by('IN_PROGRESS') || by('QUEUED')
  }

  // What is published when change() is made: notify-next where another execution is the next.
  noticing(thing, change) {
    const before = this.next(thing)
    change()
    const after = this.next(thing)
    if (before === after) return []
    return [['notify-next', after ? {timestamp: this.now(), execution: after} : {timestamp: this.now()}]]
  }

  create(thing, jobId, document) {
    const at = this.now()
    const execution = {jobId, status: 'QUEUED', queuedAt: at, lastUpdatedAt: at, versionNumber: 1, executionNumber: 1, jobDocument: document}
    return this.noticing(thing, () => this.all.set(thing, [...this.of(thing), execution]))
  }

  cancel(thing, jobId) {
    const execution = this.of(thing).find(one => one.jobId === jobId)
    return this.noticing(thing, () => this.set(thing, execution, {status: 'CANCELED'}))
  }

  set(thing, execution, changes) {
    Object.assign(execution, changes, {versionNumber: execution.versionNumber + 1, lastUpdatedAt: this.now()})
    this.changed(`${thing}/${execution.jobId} ${execution.status} ${JSON.stringify(execution.statusDetails || {})}`)
  }

  // What is published when payload, a Buffer, comes on .../thing/jobs/operation: [topic behind jobs/, body]...
  answer(thing, operation, payload) {
    let token
    const stamped = body => ({...body, timestamp: this.now(), ...(token === undefined ? {} : {clientToken: token})})
    try {
      const request = this.parse(payload)
      token = request.clientToken
      const [jobId, verb] = operation.split('/')
      const [body, notices] = verb === 'update' ? this.update(thing, jobId, request) : this.start(thing, request)
      return [[`${operation}/accepted`, stamped(body)], ...notices]
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem
      const {code, message, execution} = problem
      return [[`${operation}/rejected`, stamped({code, message, ...(execution ? {executionState: state(execution)} : {})})]]
    }
  }

  parse(payload) {
    let request
    try {
      request = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(payload) || '{}')
    } catch {
      throw new Refused('InvalidJson', 'Not JSON')
    }
    if (!isObject(request)) throw new Refused('InvalidRequest', 'Not an object')
    return request
  }

  start(thing, {statusDetails}) {
    checkDetails(statusDetails)
    const execution = this.next(thing)
    if (!execution) return [{}, []]
    if (execution.status === 'QUEUED') this.set(thing, execution, {status: 'IN_PROGRESS', statusDetails, startedAt: this.now()})
    return [{execution: {...execution, thingName: thing}}, []]
  }

  update(thing, jobId, request) {
    const execution = this.of(thing).find(one => one.jobId === jobId)
    const {status, statusDetails, expectedVersion, executionNumber} = request
    if (!execution || (executionNumber !== undefined && executionNumber !== execution.executionNumber))
      throw new Refused('ResourceNotFound', 'No such job execution')
    if (!['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'].includes(status)) throw new Refused('InvalidRequest', 'Invalid status')
    checkDetails(statusDetails)
    if (terminal.includes(execution.status)) throw new Refused('InvalidStateTransition', `It is ${execution.status}`, execution)
    if (expectedVersion !== undefined && expectedVersion !== execution.versionNumber)
      throw new Refused('VersionMismatch', 'Version mismatch', execution)
    const notices = this.noticing(thing, () =>
      this.set(thing, execution, {status, ...(statusDetails === undefined ? {} : {statusDetails})}))
    return [request.includeJobExecutionState === true ? {executionState: state(execution)} : {}, notices]
  }
}

module.exports = {Jobs}

if (require.main === module) {
  const jobs = new Jobs(undefined, line => console.log(line))
  const send = (thing, publish, messages) => {
    for (const [behind, body] of messages) publish(`$aws/things/${thing}/jobs/${behind}`, body)
  }
  serve('jobs', {
    '$aws/rehearsal/jobs': (payload, _, publish) => {
      const {thing, jobId, document, cancel} = JSON.parse(payload)
      send(thing, publish, cancel ? jobs.cancel(thing, jobId) : jobs.create(thing, jobId, document))
    },
    '$aws/things/+/jobs/start-next': (payload, [thing], publish) => send(thing, publish, jobs.answer(thing, 'start-next', payload)),
    '$aws/things/+/jobs/+/update': (payload, [thing, job], publish) => send(thing, publish, jobs.answer(thing, `${job}/update`, payload))
  })
}
