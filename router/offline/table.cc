#include "router/offline/table.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include "router/offline/lines.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

bool Blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// Splits one CSV record into fields.
struct CsvRecord {
  std::vector<std::string> fields;
  bool open_quote = false;  // the record goes on in the next line
  std::string error;
};

CsvRecord Split(std::string_view text) {
  CsvRecord record;
  std::size_t at = 0;
  while (true) {
    std::string field;
    if (at < text.size() && text[at] == '"') {
      ++at;
      while (true) {
        const std::size_t quote = text.find('"', at);
        if (quote == std::string_view::npos) {
          record.open_quote = true;
          return record;
        }
        field += text.substr(at, quote - at);
        at = quote + 1;
        if (at == text.size() || text[at] != '"') break;
        field += '"';
        ++at;
      }
      if (at < text.size() && text[at] != ',') {
        record.error = "column " + std::to_string(record.fields.size() + 1) + " goes on after its closing quote";
        return record;
      }
    } else {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      field = text.substr(at, comma - at);
      at = comma;
    }
    record.fields.push_back(std::move(field));
    if (at == text.size()) return record;
    ++at;  // the comma
  }
}

class Reader {
 public:
  Reader(const std::filesystem::path& file, const std::vector<std::string>& required,
         const std::function<Result<void>(const TableRow&)>& visit)
      : file_(file), lines_(file), required_(required), visit_(visit) {}

  Result<void> Read() {
    const std::optional<bool> csv = IsCsv();
    if (!csv) return Bad(file_.string() + ": the name ends in neither .csv nor .jsonl (with or without .gz)");
    if (!lines_.open()) return Bad(file_.string() + ": " + std::strerror(errno));
    auto read = *csv ? Csv() : JsonLines();
    if (!read) return read;
    if (!broken_.empty()) return At(lines_.number(), broken_);
    if (rows_ == 0) return Bad(file_.string() + ": no rows");
    return {};
  }

 private:
  Error At(std::uint64_t line, const std::string& what) const {
    return Bad(file_.string() + ":" + std::to_string(line) + ": " + what);
  }

  std::optional<bool> IsCsv() const {
    std::filesystem::path name = file_.filename();
    if (name.extension() == ".gz") name = name.stem();
    if (name.extension() == ".csv") return true;
    if (name.extension() == ".jsonl") return false;
    return std::nullopt;
  }

  Result<void> Visit(const json::object& fields, std::uint64_t line) {
    ++rows_;
    auto visited = visit_(TableRow{fields, line});
    if (!visited) return At(line, visited.error().message);
    return {};
  }

  Result<void> JsonLines() {
    while (const auto line = lines_.Next(broken_)) {
      if (Blank(*line)) continue;
      boost::system::error_code code;
      const json::value value = json::parse(*line, code);
      if (code) return At(lines_.number(), "not JSON: " + code.message());
      if (!value.is_object()) return At(lines_.number(), "not a JSON object");
      for (const std::string& name : required_) {
        if (!value.get_object().contains(name)) return At(lines_.number(), "no field " + Quoted(name));
      }
      if (auto visited = Visit(value.get_object(), lines_.number()); !visited) return visited;
    }
    return {};
  }

  // The next CSV record that is not blank; `line` is where it begins.
  Result<std::optional<CsvRecord>> NextRecord(std::uint64_t& line) {
    std::string text;
    bool inside = false;
    while (auto next = lines_.Next(broken_)) {
      if (!inside && Blank(*next)) continue;
      if (!inside) line = lines_.number();
      text += inside ? "\n" + *next : *std::move(next);
      if (text.size() > kMaxLineBytes) return At(line, "the row is longer than 16 MiB (a quote without its end?)");
      if (!text.empty() && text.back() == '\r') text.pop_back();
      CsvRecord record = Split(text);
      if (!record.error.empty()) return At(line, record.error);
      if (!record.open_quote) return std::optional(std::move(record));
      inside = true;
    }
    if (inside && broken_.empty()) return At(line, "the quoted field has no end");
    return std::optional<CsvRecord>();
  }

  Result<void> Csv() {
    std::uint64_t line = 0;
    auto header = NextRecord(line);
    if (!header) return std::move(header).error();
    if (!*header) return {};
    std::vector<std::string>& names = (*header)->fields;
    if (names[0].starts_with("\xEF\xBB\xBF")) names[0].erase(0, 3);  // a byte order mark
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (!seen.insert(name).second) return At(line, "two columns are named " + Quoted(name));
    }
    for (const std::string& name : required_) {
      if (!seen.contains(name)) return At(line, "no column " + Quoted(name));
    }
    while (true) {
      auto record = NextRecord(line);
      if (!record) return std::move(record).error();
      if (!*record) return {};
      std::vector<std::string>& fields = (*record)->fields;
      if (fields.size() != names.size()) {
        return At(line, std::to_string(fields.size()) + " fields, but " + std::to_string(names.size()) + " columns");
      }
      json::object object;
      object.reserve(names.size());
      for (std::size_t i = 0; i < names.size(); ++i) object.emplace(names[i], fields[i]);
      if (auto visited = Visit(object, line); !visited) return visited;
    }
  }

  const std::filesystem::path& file_;
  Lines lines_;
  const std::vector<std::string>& required_;
  const std::function<Result<void>(const TableRow&)>& visit_;
  std::string broken_;
  std::uint64_t rows_ = 0;
};

}  // namespace

Result<std::string> TableRow::Text(std::string_view name) const {
  const json::value* value = Find(name);
  if (value == nullptr) return Bad("no field " + Quoted(name));
  if (!value->is_string()) return Bad("field " + Quoted(name) + " is not a string");
  std::string text(value->get_string());
  if (Blank(text)) return Bad("field " + Quoted(name) + " is empty");
  return text;
}

Result<double> TableRow::Number(std::string_view name) const {
  const json::value* value = Find(name);
  if (value == nullptr) return Bad("no field " + Quoted(name));
  if (value->is_bool()) return value->get_bool() ? 1.0 : 0.0;
  double number = 0;
  if (value->is_string()) {
    const json::string& text = value->get_string();
    if (text == "true" || text == "false") return text == "true" ? 1.0 : 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      return Bad("field " + Quoted(name) + " is not a number: " + Quoted(std::string_view(text)));
    }
    return number;
  }
  if (!value->is_number()) return Bad("field " + Quoted(name) + " is not a number");
  return value->to_number<double>();
}

Result<const json::object*> TableRow::Object(std::string_view name) const {
  const json::value* value = Find(name);
  if (value == nullptr) return Bad("no field " + Quoted(name));
  if (!value->is_object()) return Bad("field " + Quoted(name) + " is not an object");
  return &value->get_object();
}

Result<void> VisitTable(const std::filesystem::path& file, const std::vector<std::string>& required,
                        const std::function<Result<void>(const TableRow&)>& visit) {
  return Reader(file, required, visit).Read();
}

}  // namespace pointsman::offline
