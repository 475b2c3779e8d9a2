#include "view/eval_view.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "view/numbers.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t disagreements_shown = 20;
constexpr int widest_file = 40, label_columns = 20;

Json form_json(const std::optional<FormScore>& score, const std::string& backend,
               const Evaluation& evaluation) {
  if (!score) return nullptr;
  return {{"top1", evaluation.share(score->top1)},
          {"top5", evaluation.share(score->top5)},
          {"fps", score->fps()},
          {"backend", backend}};
}

std::string percent(const std::optional<double>& share) {
  return share ? fixed(100 * *share, 1) + " %" : "-";
}

std::string form_line(const char* name, const std::optional<FormScore>& score, const std::string& backend,
                      const Evaluation& evaluation) {
  const auto share = [&](std::uint64_t FormScore::*count) {
    return to_right(percent(score ? std::optional(evaluation.share((*score).*count)) : std::nullopt), 9);
  };
  return fit_to_width(name, 10) + share(&FormScore::top1) + share(&FormScore::top5) +
         to_right(score ? fixed(score->fps(), 1) : "-", 9) + "  " + (score ? backend : "-") + "\n";
}

std::string disagreement_lines(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto shown = std::min(disagreements_shown, evaluation.disagreements.size());
  int file_columns = 4;
  for (std::size_t i = 0; i < shown; ++i) {
    file_columns = std::max(file_columns, display_width(escape_control(evaluation.disagreements[i].file)));
  }
  file_columns = std::min(file_columns, widest_file);
  const auto line = [&](const std::string& file, const std::string& truth, const std::string& of_float,
                        const std::string& of_int8) {
    return "  " + fit_to_width(file, file_columns) + "  " + fit_to_width(truth, label_columns) + "  " +
           fit_to_width(of_float, label_columns) + "  " + of_int8 + "\n";
  };
  const auto label = [&](int index) { return escape_control(labels[static_cast<std::size_t>(index)]); };
  std::string text = line("file", "truth", "float", "int8");
  for (std::size_t i = 0; i < shown; ++i) {
    const Disagreement& d = evaluation.disagreements[i];
    text += line(escape_control(d.file), label(d.truth), label(d.of_float), label(d.of_int8));
  }
  return text;
}

}  // namespace

std::string eval_json(const Evaluation& evaluation, const EvalSubject& subject) {
  const auto label = [&](int index) { return subject.labels[static_cast<std::size_t>(index)]; };
  Json disagreements = Json::array();
  for (const Disagreement& d : evaluation.disagreements) {
    disagreements.push_back({{"file", d.file},
                             {"truth", label(d.truth)},
                             {"float", label(d.of_float)},
                             {"int8", label(d.of_int8)}});
  }
  const auto agreement = evaluation.agreement();
  const Json line{{"images", evaluation.pictures},
                  {"float", form_json(evaluation.of_float, subject.float_backend, evaluation)},
                  {"int8", form_json(evaluation.of_int8, subject.int8_backend, evaluation)},
                  {"agreement", agreement ? Json(*agreement) : Json(nullptr)},
                  {"skipped", evaluation.skipped},
                  {"model", subject.model},
                  {"threads", subject.threads},
                  {"disagreements", disagreements}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string eval_text(const Evaluation& evaluation, const EvalSubject& subject) {
  const auto agreement = evaluation.agreement();
  std::string text = fit_to_width("", 10) + to_right("top-1", 9) + to_right("top-5", 9) + to_right("fps", 9) +
                     "  backend\n" +
                     form_line("float", evaluation.of_float, subject.float_backend, evaluation) +
                     form_line("int8", evaluation.of_int8, subject.int8_backend, evaluation) +
                     fit_to_width("agreement", 10) + to_right(percent(agreement), 9) + "\n";
  const std::uint64_t disagreed = agreement ? evaluation.pictures - evaluation.agreed : 0;
  if (disagreed == 0) return text;
  text += "\nfloat and int8 disagree on " + std::to_string(disagreed) +
          (disagreed == 1 ? " picture" : " pictures") +
          (disagreed > disagreements_shown ? ", the first " + std::to_string(disagreements_shown) : "") +
          ":\n";
  return text + disagreement_lines(evaluation, subject.labels);
}

}  // namespace glimpse
