// onnx_runtime.js MODEL.onnx INPUT.f32 THREADS FRAMES: ONNX Runtime for Node, all else as it comes. Finds it through NODE_PATH.
const fs = require('fs')
const path = require('path')

async function main() {
  const ort = require('onnxruntime-node')
  const [model, input, threads, frames] = process.argv.slice(2)
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: Number(threads)})
  const picture = new Float32Array(new Uint8Array(fs.readFileSync(input)).buffer)
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', picture, [1, 3, 224, 224])}
  const times = []
  let logits
  const warmUp = Math.max(20, Math.floor(frames / 5))  // as timing.py
  for (let i = 0; i < warmUp + Number(frames); i++) {
    const start = performance.now()
    const results = await session.run(feeds)
    times.push(performance.now() - start)
    logits = results[session.outputNames[0]].data
  }
  const sorted = times.slice(warmUp).sort((a, b) => a - b)
  const half = sorted.length / 2
  const median = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2
  const {version} = require(path.join(path.dirname(require.resolve('onnxruntime-node')), '..', 'package.json'))
  console.log(JSON.stringify({name: `ONNX Runtime ${version}`, figure: median, logits: Array.from(logits)}))
}

main().catch(error => {
  console.error(`onnx_runtime: ${error.message.split('\n')[0]}`)
  process.exit(70)
})
