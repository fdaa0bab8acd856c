// Our networks beside ONNX Runtime's, in one run: the two take turns, so that both see the same machine.
//   taskset -c 1 node benchmarks/compare_onnxruntime.mjs NETWORKS_PROGRAM MODELS_FOLDER [--rounds N] [--stack REGEX] [NAME...]
// Run it where `npm install onnxruntime-node` was done. MODELS_FOLDER holds NAME.onnx, and NAME.u8s8.onnx beside a --stack of integers (w8a8);
// NAMEs are those of the table below.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

const networks = {
  c10_resnet8: 'resnet8/cifar10', c10_resnet18: 'resnet18/cifar10', c10_vgg16: 'vgg16/cifar10', c10_mbv1: 'mobilenet_v1/cifar10',
  c10_mbv2: 'mobilenet_v2/cifar10', in_resnet18: 'resnet18/imagenet', in_resnet50: 'resnet50/imagenet', in_vgg16: 'vgg16/imagenet',
  in_mbv1: 'mobilenet_v1/imagenet', in_mbv2: 'mobilenet_v2/imagenet', in_effb0: 'efficientnet_b0/imagenet',
  in_densenet161: 'densenet161/imagenet',
};

const words = process.argv.slice(2);
const take = (name, fallback) => {
  const at = words.indexOf(name);
  return at < 0 ? fallback : words.splice(at, 2)[1];
};
const rounds = Number(take('--rounds', 5));
const stack = take('--stack', 'f32/dense/tuned/avx512');
const file = (name) => join(folder, /^w\da8/.test(stack) ? `${name}.u8s8.onnx` : `${name}.onnx`);
const [program, folder, ...chosen] = words;
if (!program || !folder) {
  console.error('usage: compare_onnxruntime.mjs NETWORKS_PROGRAM MODELS_FOLDER [--rounds N] [--stack REGEX] [NAME...]');
  process.exit(1);
}
const ort = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node');
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

async function onnxruntime(name) {
  const options = { executionProviders: ['cpu'], graphOptimizationLevel: 'all', intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(file(name), options);
  const shape = session.inputMetadata[0].shape.map((extent) => (typeof extent === 'number' && extent > 0 ? extent : 1));
  const image = new ort.Tensor('float32', new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape);
  return async () => {
    const times = [];
    for (const end = performance.now() + 1000; performance.now() < end || times.length < 8;) {
      const start = performance.now();
      await session.run({ [session.inputNames[0]]: image });
      times.push(performance.now() - start);
    }
    return median(times.slice(2));
  };
}

function ours(name) {
  const report = join(tmpdir(), `dlas_networks_${process.pid}.json`);
  execFileSync(program, [`--benchmark_filter=^network/${networks[name]}/${stack}$`, '--benchmark_min_time=0.2', '--benchmark_repetitions=5',
    `--benchmark_out=${report}`, '--benchmark_out_format=json'], { stdio: 'ignore' });
  const runs = JSON.parse(readFileSync(report)).benchmarks.filter((run) => run.run_type === 'iteration');
  rmSync(report);
  if (runs.length === 0) throw new Error(`${program} has no benchmark network/${networks[name]}/${stack}`);
  return median(runs.map((run) => run.real_time));
}

console.log(`${'network'.padEnd(14)} ${'ours ms'.padStart(9)} ${'ORT ms'.padStart(9)} ${'ratio'.padStart(7)}   medians of ${rounds} rounds, ${stack}, ONNX Runtime ${ort.env.versions.node}`);
for (const name of chosen.length ? chosen : Object.keys(networks)) {
  if (!networks[name] || !existsSync(file(name))) {
    console.error(`unknown network ${name}`);
    process.exit(1);
  }
  const peer = await onnxruntime(name);
  const own = [], other = [], ratios = [];
  for (let round = 0; round < rounds; ++round) {
    other.push(await peer());
    own.push(ours(name));
    ratios.push(own.at(-1) / other.at(-1));
  }
  console.log(`${name.padEnd(14)} ${median(own).toFixed(3).padStart(9)} ${median(other).toFixed(3).padStart(9)} ${median(ratios).toFixed(2).padStart(7)}`);
}
