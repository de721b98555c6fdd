"""What `--help` says."""

from __future__ import annotations

from langgraph_rlm.routes.profiles import PROFILES

ASK = (
    "Answer QUESTION about the texts at --context, of any size.\n\n"
    "The answer goes to standard output, all else to standard error. The exit status is 0 with an answer, 1 after a "
    "failed run, and 2 when the arguments cannot be used.\n\n"
    "The run is kept, on a thread that standard error names: whatever ends it, a crash too, 'resume' goes on where it "
    "was, and what was paid for is not paid for again."
)
EXAMPLES = """\
Examples:

  langgraph-rlm ask "Which module defines the retry policy?" -c src

  langgraph-rlm ask "How many requests failed?" -c "logs/**/*.log" --json

  git log -p | langgraph-rlm ask "Why did the timeout change?" -c -

  langgraph-rlm ask "And who changed it?" --thread k3f9
"""
CONTEXT = (
    "What to read: a file, a folder, a glob, or - for standard input. May be given several times; documents of several "
    "folders keep the folder in their names."
)
MODEL = (
    "Writes the code: a model as LangChain's init_chat_model names it, or 'local'. Default: the first of "
    "LANGGRAPH_RLM_MODEL, a provider whose key is set, a running Ollama, and 'local' (1.1 GB, fetched once)."
)
SUB_MODEL = "Answers what the code asks. Default: the same model."
PROFILE = "; ".join(f"{name}: {path.summary}" for name, path in PROFILES.items()) + "."
DIALECT = (
    "How the model writes code and ends. Models that were trained as RLMs need their own: answer for "
    "RLM-Qwen3-30B-A3B, final-text for RLM-Qwen3-8B."
)
VOICE = "How the model is spoken to: large for models that read long prompts, small for those of few parameters."
SCHEMA = "A file with a JSON schema that the answer has to satisfy."
INSTRUCTIONS = "Added to what the model is told."
DEPTH = "0: no sub-calls; 1: plain ones; 2: sub-calls that may be RLMs themselves."
STEPS = "Cells of code, for each RLM."
SUBCALLS = "Prompts that code asks."
TOKENS = "Input and output."
SECONDS = "Checked before each model call."
UNLIMITED = "Default: no limit."
GROWS = "Default: 5, and one more for each million characters of the text."
THREAD = (
    "Ask on an earlier thread, by the beginning of its name: the model has its text, unless --context gives another, "
    "and its variables. Its settings hold where no others are given."
)
EPHEMERAL = "Keep nothing on disk: no 'resume', no --thread."
JSON = "Print one JSON object: the answer and what it took."
QUIET = "Show errors and warnings only."
DEBUG = "Show tracebacks, and what libraries write."

MCP = (
    "Serve 'ask', 'resume' and 'runs' to coding agents, by the Model Context Protocol.\n\n"
    "It speaks on standard input and output, as agents start such servers, or with --http over HTTP on this machine "
    "alone. It reads what lies in the folders that the client allows (its roots), or else in those of --root, and "
    "nothing else. Runs are kept as those of 'ask' are."
)
MCP_EXAMPLES = """\
Examples:

  claude mcp add rlm -- langgraph-rlm mcp --model openai:gpt-6-luna

  langgraph-rlm mcp --http 8765 --root ~/contracts
"""
HTTP = "Serve over HTTP on 127.0.0.1 at this port, at /mcp."
ROOT = "A folder to read from where the client names none. Default: the folder that it is started in."
RESUME = (
    "Go on with a run that was killed, stopped or failed.\n\n"
    "It goes on where it was, with the settings it had, limits that are given here excepted; files of its context must "
    "be as they were. A run that has an answer gives it again, and no model is asked. Output and exit status are those "
    "of 'ask'; a run that another process is at work on cannot be resumed."
)
BEGINNING = "The thread, by the beginning of its name."
AS_IT_WAS = "Default: as it was."

RUNS = (
    "List the runs that are kept, the last one first.\n\n"
    "Status is 'running'; 'interrupted' (it was killed), 'stopped' or 'failed', which 'resume' goes on with; "
    "'answered', or 'limit' (answered at a limit). What a run has used is counted over its sub-calls, for the last "
    "question of the thread. The runs are in the folder LANGGRAPH_RLM_STATE, by default "
    "~/.local/state/langgraph-rlm."
)
MOST_RUNS = "Runs to list."
RUNS_JSON = "Print one JSON array."

FORGET = (
    "Delete runs, with the texts and answers that are kept of them.\n\n"
    "It does not ask first, and says what it has deleted. A run that is running is not deleted."
)
FORGOTTEN = "Threads, by the beginnings of their names."
OLDER_THAN = "All runs that have not changed for so many days."

DEMO = (
    "Ask the local model about the Python standard library's own source, and check its answer.\n\n"
    "That is about 30 MB, some 8 million tokens: a thousand times what this model can read. It is fetched on first use "
    "(1.1 GB), and runs on this machine alone. The exit status is 1 when the answer is wrong."
)
