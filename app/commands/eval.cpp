#include "commands/eval.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <optional>

#include "capture/picture.hpp"
#include "capture/quiet.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "evaluation/evaluation.hpp"
#include "evaluation/labelled_pictures.hpp"
#include "inference/classifier.hpp"
#include "inference/model_package.hpp"
#include "view/eval_view.hpp"
#include "view/output.hpp"
#include "view/progress_bar.hpp"

namespace glimpse {
namespace {

/// The forms that the model's folder has.
struct Forms {
  explicit Forms(const Settings::Model& model) {
    const auto folder = find_model(model.name);
    const auto options = [&](bool quantized) {
      return ClassifierOptions{model.name, quantized, model.backend, model.threads, model.trust};
    };
    std::optional<ClassifierOptions> settled[2];
    for (const bool quantized : {false, true}) {
      if (has_form(folder, quantized)) settled[quantized] = settle_backend(options(quantized));
    }
    if (settled[true]) of_int8.emplace(*settled[true]);  // first: it may want oneDNN without AMX
    if (settled[false]) of_float.emplace(*settled[false]);
    for (const auto* form : {&of_float, &of_int8}) {
      if (*form && !(*form)->info().fallback.empty()) spdlog::warn("{}", (*form)->info().fallback);
    }
    if (of_float && of_int8 && of_float->labels() != of_int8->labels()) {
      throw Error(ExitCode::bad_data,
                  folder.string() + ": float.pt and int8.pt have other labels; export the model again");
    }
  }
  [[nodiscard]] const Classifier& any() const { return of_float ? *of_float : *of_int8; }

  std::optional<Classifier> of_float, of_int8;
};

EvalSubject subject(const Forms& forms) {
  const auto backend = [](const std::optional<Classifier>& form) { return form ? form->info().backend : ""; };
  return {forms.any().info().name, forms.any().labels(), forms.any().info().threads, backend(forms.of_float),
          backend(forms.of_int8)};
}

std::string subject_line(const EvalSubject& subject, const std::string& folder, std::size_t pictures) {
  const auto form = [](const std::string& name, const std::string& backend) {
    return backend.empty() ? "" : ", " + name + " on " + backend;
  };
  return "model " + subject.model + " (" + folder + ", " + std::to_string(subject.labels.size()) +
         " classes)" + form("float", subject.float_backend) + form("int8", subject.int8_backend) + ", " +
         std::to_string(subject.threads) + (subject.threads == 1 ? " thread; " : " threads; ") +
         std::to_string(pictures) + (pictures == 1 ? " picture" : " pictures");
}

std::optional<Guess> guess(std::optional<Classifier>& form, const cv::Mat& image) {
  if (!form) return std::nullopt;
  const Classification result = form->classify(image, 5);
  Guess guess{{}, result.preprocess_ms + result.inference_ms};
  for (const Prediction& prediction : result.top) guess.top.push_back(prediction.index);
  return guess;
}

/// Both forms see the same decoded picture; one at a time is in memory.
Evaluation evaluate(Forms& forms, const std::string& folder, const std::vector<LabelledPicture>& pictures,
                    const std::stop_token& stop) {
  Evaluation evaluation;
  ProgressBar progress(pictures.size());
  for (const LabelledPicture& labelled : pictures) {
    const std::uint64_t done = evaluation.pictures + evaluation.skipped;
    if (stop.stop_requested()) {
      throw Error(ExitCode::interrupted, "stopped after " + std::to_string(done) + " of " +
                                             std::to_string(pictures.size()) + " pictures: no result");
    }
    progress.show(done);
    const Picture picture = load_picture((std::filesystem::path(folder) / labelled.file).string());
    if (picture.image.empty()) {
      progress.clear();
      spdlog::warn("{}: {}; skipped", labelled.file, picture.reason);
      ++evaluation.skipped;
    } else {
      evaluation.add(labelled, guess(forms.of_float, picture.image), guess(forms.of_int8, picture.image));
    }
  }
  if (evaluation.pictures == 0) {
    throw Error(ExitCode::bad_data,
                folder + ": none of the " + std::to_string(pictures.size()) + " pictures could be decoded");
  }
  return evaluation;
}

}  // namespace

int eval(const Settings& settings, Shutdown& shutdown) {
  const auto& [images, labels] = settings.eval;
  if (images.empty()) {
    throw Error(ExitCode::usage, "eval needs --images DIR, a folder of pictures; see glimpse eval --help");
  }
  shutdown.set_last_words([] { return static_cast<int>(ExitCode::interrupted); });
  quiet_libraries();
  Output output([&] { shutdown.begin(); });

  Forms forms(settings.model);
  const EvalSubject what = subject(forms);
  const auto pictures =
      labels.empty() ? read_class_folders(images, what.labels) : read_labels(labels, images, what.labels);
  const std::string line = subject_line(what, forms.any().info().folder, pictures.size());
  settings.json ? spdlog::info("{}", line) : output.write(line + "\n");

  const Evaluation evaluation = evaluate(forms, images, pictures, shutdown.token());
  if (evaluation.skipped > 0) spdlog::warn("{} pictures skipped", evaluation.skipped);
  output.write(settings.json ? eval_json(evaluation, what) + "\n" : "\n" + eval_text(evaluation, what));
  output.check();
  return 0;
}

}  // namespace glimpse
