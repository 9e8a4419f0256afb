# run.exs NAME...: like run.escript, for the scenarios of Elixir's own behaviours in elixir.exs.
Logger.configure(level: :none)

for source <- Path.wildcard(Path.join(__DIR__, "*.erl")) do
  {:ok, module, code} = :compile.file(to_charlist(source), [:binary, :report])
  {:module, ^module} = :code.load_binary(module, to_charlist(source), code)
end

Code.require_file("elixir.exs", __DIR__)
standing = :erlang.processes()

for name <- System.argv() do
  lines = :transcript.run(fn -> apply(Scenarios, String.to_atom(name), []) end, standing)
  IO.puts(["== ", name | Enum.map(lines, &["\n", &1])])
end
