#include "inference/classifier.hpp"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <torch/version.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"
#include "inference/backend.hpp"
#include "inference/backend_choice.hpp"
#include "inference/model_package.hpp"
#include "inference/onednn/runtime.hpp"
#include "inference/preprocessing/preprocessor.hpp"
#include "inference/top_k.hpp"

namespace glimpse {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int threads_to_use(int asked) {
  return glimpse::threads_to_use(asked, static_cast<int>(std::thread::hardware_concurrency()));
}

/// OpenMP keeps the number of threads for each calling thread, so whoever runs a network sets it for itself.
void use_threads(int threads) {
  thread_local int in_use = 0;
  if (in_use != threads) at::set_num_threads(in_use = threads);
}

/// The first line of what LibTorch says; the rest is its own call stack.
std::string first_line(const std::string& message) {
  return escape_control(message.substr(0, message.find('\n')));
}

std::string engine_name(at::QEngine engine) {
  std::string name = at::toString(engine);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

InputFormat format_of(const at::Tensor& input) {
  InputFormat format;
  if (input.is_contiguous(at::MemoryFormat::ChannelsLast)) format.layout = InputFormat::Layout::interleaved;
  if (!input.is_quantized()) return format;
  format.element =
      input.scalar_type() == at::kQUInt8 ? InputFormat::Element::uint8 : InputFormat::Element::int8;
  format.scale = static_cast<float>(input.q_scale());
  format.zero_point = static_cast<int>(input.q_zero_point());
  return format;
}

/// LibTorch has one engine for all int8 networks of the process, and QNNPACK one pool of threads, which every
/// thread that comes to use LibTorch begins anew. A network that LibTorch interprets needs both as they are;
/// those of our backends have what they need to themselves.
void refuse_beside(const ClassifierInfo& running, const std::string& engine) {
  if (!running.quantized || !running.interpreted) return;
  if (running.engine != "qnnpack" && (engine.empty() || engine == running.engine)) return;
  throw Error(ExitCode::unavailable, "LibTorch runs the int8 model in use on " + running.engine +
                                         ", and cannot load another beside it: it changes at the next start "
                                         "(systemctl restart glimpse)");
}

/// Loading takes several times the memory of running. While it lasts, large blocks are mapped, so that they
/// go back when they are freed and leave no holes; afterwards they come from the heap, where getting them
/// again for each frame is quick.
class LoadingMemory {
 public:
  LoadingMemory() { ::mallopt(M_MMAP_THRESHOLD, 64 << 10); }
  ~LoadingMemory() {
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
    ::malloc_trim(0);
  }
  LoadingMemory(const LoadingMemory&) = delete;
  LoadingMemory& operator=(const LoadingMemory&) = delete;
};

struct LoadedModule {
  torch::jit::Module module;
  ModelDescription description;
};

LoadedModule load_module(const ModelFile& file) {
  const std::string name = file.path.string();
  torch::jit::ExtraFilesMap extra{{"glimpse.json", ""}};
  torch::jit::Module module;
  try {
    std::istringstream bytes(file.bytes);
    module = torch::jit::load(bytes, torch::kCPU, extra);
  } catch (const std::exception& error) {
    throw Error(ExitCode::bad_data,
                name + " is not a TorchScript file that this LibTorch can load: " + first_line(error.what()));
  }
  if (extra["glimpse.json"].empty()) {
    throw Error(ExitCode::bad_data,
                name + " has no glimpse.json inside: it was not made by glimpse's export");
  }
  ModelDescription description = parse_description(extra["glimpse.json"], name + ": glimpse.json");
  if (!file.manifest_labels.empty() && file.manifest_labels != description.labels) {
    throw Error(ExitCode::bad_data,
                (file.path.parent_path() / "manifest.json").string() + " has " +
                    std::to_string(file.manifest_labels.size()) + " labels that are not the " +
                    std::to_string(description.labels.size()) + " of " + name + "; export the model again");
  }
  module.eval();
  return {module, std::move(description)};
}

}  // namespace

struct Classifier::Input::Tensor {
  at::Tensor tensor;
};

Classifier::Input::Input(std::unique_ptr<Tensor> tensor) : tensor_(std::move(tensor)) {}
Classifier::Input::Input(Input&&) noexcept = default;
Classifier::Input& Classifier::Input::operator=(Input&&) noexcept = default;
Classifier::Input::~Input() = default;

struct Classifier::Impl {
  ClassifierInfo info;
  std::shared_ptr<const ModelIdentity> identity;
  std::vector<std::string> labels;
  std::optional<Preprocessor> preprocessor;
  std::unique_ptr<Backend> backend;
  std::optional<Input> own_input;  // for who does not bring one

  at::Tensor run(const at::Tensor& input) const {
    use_threads(info.threads);
    const c10::InferenceMode no_gradients;
    return backend->run(input).contiguous();
  }

  /// The first calls compile and allocate; and what comes out must be one number for each label.
  void warm_up(const std::string& file) const {
    at::Tensor logits;
    try {
      for (int i = 0; i < 3; ++i) logits = run(own_input->tensor_->tensor);
    } catch (const std::exception& error) {
      throw Error(ExitCode::bad_data,
                  file + " does not run on backend " + info.backend + ": " + first_line(error.what()));
    }
    if (logits.scalar_type() != at::kFloat || logits.dim() != 2 || logits.size(0) != 1 ||
        logits.size(1) != std::ssize(labels)) {
      std::ostringstream shape;
      shape << logits.sizes();
      throw Error(ExitCode::bad_data, file + " gives " + shape.str() + " outputs for " +
                                          std::to_string(labels.size()) + " labels; export the model again");
    }
  }
};

/// One core is left free by default: with as many threads as cores, OpenMP's spinning turns 10 ms into 750 ms
/// under load.
int threads_to_use(int asked, int cores) {
  return asked > 0 ? asked : std::max(1, cores - 1);
}

ClassifierOptions settle_backend(ClassifierOptions options) {
  const ModelFile file =
      read_model_file(find_model(options.model, options.models), options.quantized, options.trust);
  const BackendChoice choice = choose_backend(options, file.sha256, threads_to_use(options.threads));
  options.backend = choice.backend;
  options.amx = choice.amx;
  return options;
}

Classifier::Classifier(const ClassifierOptions& options) : impl_(std::make_unique<Impl>()) {
  const auto start = Clock::now();
  const LoadingMemory memory;
  const auto folder = find_model(options.model, options.models);
  const ModelFile file = read_model_file(folder, options.quantized, options.trust);

  ClassifierInfo& info = impl_->info;
  info.folder = folder.string();
  info.sha256 = file.sha256;
  info.file_mib = static_cast<double>(file.bytes.size()) / (1 << 20);
  info.quantized = options.quantized;
  info.threads = threads_to_use(options.threads);
  const BackendChoice choice = choose_backend(options, file.sha256, info.threads);
  info.backend = choice.backend;
  info.choice = describe(choice);
  const auto engine = options.quantized ? std::optional(choose_engine(info.backend)) : std::nullopt;
  if (engine) info.engine = engine_name(*engine);
  if (options.beside) refuse_beside(*options.beside, info.engine);
  if (!choice.amx) onednn::forbid_amx();
  use_threads(info.threads);
  if (engine) at::globalContext().setQEngine(*engine);

  LoadedModule loaded = load_module(file);
  info.name = std::filesystem::weakly_canonical(folder).filename().string();
  info.classes = static_cast<int>(loaded.description.labels.size());
  info.input = loaded.description.input;
  impl_->labels = std::move(loaded.description.labels);
  const InputSpec& spec = loaded.description.input;
  CompiledModel compiled = make_backend(info.backend, loaded.module, options.quantized,
                                        at::zeros({1, 3, spec.height, spec.width}, at::kFloat), info.threads);
  impl_->backend = std::move(compiled.backend);
  info.backend = compiled.name;
  info.fallback = escape_control(compiled.fallback);
  info.interpreted = compiled.interpreted;
  impl_->identity = std::make_shared<const ModelIdentity>(
      ModelIdentity{info.name, info.quantized, info.backend, info.sha256});
  impl_->own_input.emplace(make_input());
  impl_->preprocessor.emplace(spec, format_of(impl_->own_input->tensor_->tensor));
  impl_->warm_up(file.path.string());
  info.load_ms = ms_since(start);
}

Classifier::~Classifier() = default;

Classifier::Input Classifier::make_input() const {
  return Input(std::make_unique<Input::Tensor>(Input::Tensor{impl_->backend->make_input()}));
}

double Classifier::prepare(const cv::Mat& bgr, Input& into) {
  const auto start = Clock::now();
  impl_->preprocessor->run(bgr, into.tensor_->tensor.data_ptr());
  return ms_since(start);
}

Classification Classifier::classify(const Input& prepared, int k) {
  const auto start = Clock::now();
  const at::Tensor logits = impl_->run(prepared.tensor_->tensor);
  Classification result;
  result.top = top_k({logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel())}, impl_->labels, k);
  result.inference_ms = ms_since(start);
  result.model = impl_->identity;
  return result;
}

Classification Classifier::classify(const cv::Mat& bgr, int k) {
  const double preprocess_ms = prepare(bgr, *impl_->own_input);
  Classification result = classify(*impl_->own_input, k);
  result.preprocess_ms = preprocess_ms;
  return result;
}

std::vector<float> Classifier::logits(const cv::Mat& bgr) {
  (void)prepare(bgr, *impl_->own_input);
  const at::Tensor logits = impl_->run(impl_->own_input->tensor_->tensor);
  return {logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel()};
}

std::string libtorch_version() {
  return TORCH_VERSION;
}

const ClassifierInfo& Classifier::info() const {
  return impl_->info;
}

const ModelIdentity& Classifier::identity() const {
  return *impl_->identity;
}

const std::vector<std::string>& Classifier::labels() const {
  return impl_->labels;
}

}  // namespace glimpse
