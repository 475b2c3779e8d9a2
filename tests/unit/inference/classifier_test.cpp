#include "inference/classifier.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

namespace fs = std::filesystem;
const std::string demo = GLIMPSE_ROOT "/models/demo";

ClassifierOptions options(bool quantized, const std::string& backend = "auto",
                          const std::string& model = demo) {
  return {model, quantized, backend, 1, false};
}

cv::Mat disc() {
  cv::Mat bgr(480, 640, CV_8UC3, cv::Scalar(90, 140, 60));
  cv::circle(bgr, {320, 240}, 150, cv::Scalar(30, 60, 220), cv::FILLED, cv::LINE_AA);
  return bgr;
}

/// The picture of tests/data/make_logits_golden.py, as OpenCV holds it.
cv::Mat golden_picture(int number, int side) {
  cv::Mat bgr(side, side, CV_8UC3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        bgr.ptr(y)[x * 3 + 2 - channel] = static_cast<unsigned char>(
            (x * (number + 1) + y * (2 * number + 1) + channel * 61 + x * y / (96 >> number)) % 256);
      }
    }
  }
  return bgr;
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::string refusal(const ClassifierOptions& asked, ExitCode expected = ExitCode::bad_data) {
  try {
    Classifier classifier(asked);
  } catch (const Error& error) {
    CHECK(error.code() == expected);
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

nlohmann::json read_json(const fs::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

}  // namespace

TEST_CASE("The demo model runs, float and int8") {
  for (const bool quantized : {false, true}) {
    Classifier classifier(options(quantized));
    CHECK(classifier.info().name == "demo");
    CHECK(classifier.info().quantized == quantized);
    CHECK(classifier.info().classes >= 80);
    const Classification result = classifier.classify(disc(), 10);
    REQUIRE(result.top.size() == 10);
    CHECK(result.top[0].probability >= result.top[9].probability);
    CHECK(classifier.classify(disc(), 1000).top.size() ==
          static_cast<std::size_t>(classifier.info().classes));
  }
}

TEST_CASE("Every backend agrees with torch on the same picture") {
  for (const bool quantized : {false, true}) {
    const Classification reference = Classifier(options(quantized, "torch")).classify(disc(), 5);
    const Classification result = Classifier(options(quantized, "auto")).classify(disc(), 5);
    CHECK(result.top[0].label == reference.top[0].label);
    CHECK(result.top[0].probability == Approx(reference.top[0].probability).epsilon(1e-3));
  }
}

TEST_CASE("Float logits are those of PyTorch behind torchvision's preprocessing") {
  const nlohmann::json golden = read_json(GLIMPSE_ROOT "/tests/data/logits_golden.json");
  for (const std::string& backend : runnable_backends(false)) {
    Classifier classifier(options(false, backend));
    INFO("the demo model has changed: run tests/data/make_logits_golden.py");
    REQUIRE(classifier.info().sha256 == golden.at("sha256").get<std::string>());
    int number = 0;
    for (const std::vector<float> expected : golden.at("logits")) {
      const std::vector<float> logits = classifier.logits(golden_picture(number, golden.at("side")));
      const auto [least, most] = std::minmax_element(expected.begin(), expected.end());
      CAPTURE(backend, number);
      CHECK(largest_difference(logits, expected) < 1e-3f * (*most - *least));
      ++number;
    }
    CHECK(number == 6);
  }
}

TEST_CASE("Logits and classification tell the same") {
  Classifier classifier(options(true));
  const std::vector<float> logits = classifier.logits(disc());
  CHECK(classifier.classify(disc(), 1).top[0].index ==
        std::max_element(logits.begin(), logits.end()) - logits.begin());
  CHECK(classifier.labels().size() == logits.size());
}

TEST_CASE("Float and int8 models on every backend take turns in one process, each as if it were alone") {
  std::vector<std::unique_ptr<Classifier>> classifiers;
  std::vector<std::vector<float>> alone;
  for (const bool quantized : {false, true, false}) {
    for (const std::string& backend : runnable_backends(quantized)) {
      classifiers.push_back(std::make_unique<Classifier>(options(quantized, backend)));
      alone.push_back(classifiers.back()->logits(disc()));
    }
  }
  for (std::size_t i = 0; i < classifiers.size(); ++i) {
    CAPTURE(i);
    CHECK(classifiers[i]->logits(disc()) == alone[i]);
  }
}

TEST_CASE("An int8 model is packed for its own engine, whatever engine another one has left behind") {
  for (const auto left_behind : at::globalContext().supportedQEngines()) {
    if (left_behind == at::QEngine::NoQEngine) continue;
    for (const std::string& backend : runnable_backends(true)) {
      at::globalContext().setQEngine(left_behind);
      Classifier classifier(options(true, backend));
      std::string engine = at::toString(at::globalContext().qEngine());
      std::transform(engine.begin(), engine.end(), engine.begin(),
                     [](unsigned char c) { return std::tolower(c); });
      CHECK(classifier.info().engine == engine);
      if (backend == "onednn") CHECK(engine == "onednn");
    }
  }
}

TEST_CASE("The same frame gives the same answer again") {
  Classifier classifier(options(true));
  const auto first = classifier.classify(disc(), 3);
  (void)classifier.classify(cv::Mat(100, 100, CV_8UC3, cv::Scalar::all(255)), 3);
  const auto again = classifier.classify(disc(), 3);
  CHECK(first.top[0].probability == again.top[0].probability);
}

TEST_CASE("An unknown backend is a usage error that names the known ones") {
  CHECK_THAT(refusal(options(false, "tpu"), ExitCode::usage), ContainsSubstring("torch"));
}

TEST_CASE("A text file in a model's place is one line and bad data") {
  const TempFolder folder;
  folder.write("float.pt", "this is not a network\nat all\n");
  ClassifierOptions asked = options(false, "auto", folder.path().string());
  asked.trust = true;
  const std::string message = refusal(asked);
  CHECK_THAT(message, ContainsSubstring("float.pt is not a TorchScript file"));
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("A model file with one bit flipped is refused") {
  const TempFolder folder;
  fs::copy(demo, folder.path(), fs::copy_options::recursive);
  {
    std::fstream file(folder.path() / "int8.pt", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100000);
    const auto byte = static_cast<char>(file.get() ^ 4);
    file.seekp(100000);
    file.put(byte);
  }
  CHECK_THAT(refusal(options(true, "auto", folder.path().string())), ContainsSubstring("int8.pt is damaged"));
}

TEST_CASE("A manifest whose labels are not the network's is refused") {
  const TempFolder folder;
  fs::copy(demo, folder.path(), fs::copy_options::recursive);
  nlohmann::json manifest = read_json(folder.path() / "manifest.json");
  manifest["labels"].erase(manifest["labels"].size() - 1);
  folder.write("manifest.json", manifest.dump());
  CHECK_THAT(refusal(options(false, "auto", folder.path().string())), ContainsSubstring("manifest.json has"));
}

namespace {

/// Of the calling thread. LibTorch's own answer is that of the whole process.
int openmp_threads() {
  const auto ask = reinterpret_cast<int (*)()>(::dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  REQUIRE(ask != nullptr);
  return ask();
}

}  // namespace

TEST_CASE(
    "Loading beside a network leaves that one its threads; whoever runs the new one gets the new one's") {
  ClassifierOptions asked = options(false, runnable_backends(false).back());
  asked.threads = 3;
  Classifier running(asked);
  std::optional<Classifier> loaded;
  std::promise<void> has_run, is_loaded;
  std::vector<int> seen;
  std::thread inference([&] {
    (void)running.classify(disc(), 1);
    seen.push_back(openmp_threads());
    has_run.set_value();
    is_loaded.get_future().wait();
    (void)running.classify(disc(), 1);
    seen.push_back(openmp_threads());
    (void)loaded->classify(disc(), 1);
    seen.push_back(openmp_threads());
  });
  has_run.get_future().wait();
  std::thread([&] {
    ClassifierOptions beside = options(true, runnable_backends(true).back());
    beside.threads = 2;
    beside.beside = &running.info();
    loaded.emplace(beside);
    seen.push_back(openmp_threads());
  }).join();
  is_loaded.set_value();
  inference.join();
  CHECK(seen == std::vector<int>{3, 2, 3, 2});
}

TEST_CASE(
    "What LibTorch interprets in int8 on an engine keeps it: another that needs LibTorch otherwise is "
    "refused") {
  Classifier first(options(true, "torch"));
  ClassifierInfo running = first.info();
  CHECK(running.interpreted);
  ClassifierOptions beside = options(true, "torch");
  beside.beside = &running;
  if (running.engine != "qnnpack") CHECK_NOTHROW(Classifier(beside));  // the same engine
  running.engine = "another";
  CHECK_THAT(refusal(beside, ExitCode::unavailable), ContainsSubstring("systemctl restart glimpse"));
  beside.quantized = false;
  CHECK_NOTHROW(Classifier(beside));  // float needs none
  running.engine = "qnnpack";         // whose pool of threads would be begun anew
  CHECK_THAT(refusal(beside, ExitCode::unavailable), ContainsSubstring("qnnpack"));
  running.interpreted = false;
  CHECK_NOTHROW(Classifier(beside));
}

TEST_CASE("A classification tells which model it is of") {
  Classifier classifier(options(true, "torch"));
  const Classification result = classifier.classify(disc(), 1);
  REQUIRE(result.model);
  CHECK(result.model->name == "demo");
  CHECK(result.model->quantized);
  CHECK(result.model->backend == "torch");
  CHECK(result.model->sha256 == read_json(demo + "/manifest.json")["files"]["int8.pt"]["sha256"]);
  CHECK(*result.model == classifier.identity());
}
