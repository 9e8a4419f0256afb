# run.exs NAME...: like run.escript, for the scenarios of Elixir's own behaviours. A scenario is a function without
# arguments of a module in one of the other .exs files here.
Logger.configure(level: :none)

for source <- Path.wildcard(Path.join(__DIR__, "*.erl")) do
  {:ok, module, code} = :compile.file(to_charlist(source), [:binary, :report])
  {:module, ^module} = :code.load_binary(module, to_charlist(source), code)
end

Code.require_file("vocabulary.exs", __DIR__)

modules =
  for source <- Path.wildcard(Path.join(__DIR__, "*.exs")),
      Path.basename(source) != "run.exs",
      {module, _} <- Code.require_file(source) || [],
      do: module

standing = :erlang.processes()

for name <- Enum.map(System.argv(), &String.to_atom/1) do
  [module] = Enum.filter(modules, &function_exported?(&1, name, 0))
  lines = :transcript.run(fn -> apply(module, name, []) end, standing)
  IO.puts(["== ", Atom.to_string(name) | Enum.map(lines, &["\n", &1])])
end
