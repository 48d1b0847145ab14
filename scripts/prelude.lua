-- SPDX-License-Identifier: Apache-2.0
-- The words of the rule language. A word does nothing but write down what was said, as a node: the
-- word, the line of the call, and the arguments. core/rule reads the nodes afterwards and does all the
-- checking, so a mistake is told with its place. Nothing here runs per event but P.
local sys = ...
local rawsetmetatable, line, running = sys.rawsetmetatable, sys.line, sys.running
local select, type, error, pairs, rawget, rawset = select, type, error, pairs, rawget, rawset

local registered, refused = {}, {} -- rule nodes, and words that this version does not have
local tests = {}                   -- test nodes, or `true` for each where nobody wants them
local node_mt = { __metatable = false }

local function node(word, ...)
  return rawsetmetatable({ word = word, line = line(), n = select("#", ...), ... }, node_mt)
end

-- `from "stream" { ... }`, `rule "name" { ... }`: the second call brings the table.
local takes_table = { rule = true, from = true, to = true, test = true }

function node_mt.__call(self, ...)
  local word = rawget(self, "word")
  if not takes_table[word] or rawget(self, "n") ~= 1 or select("#", ...) ~= 1 then
    error("'" .. word .. "' is called once too often", 2)
  end
  rawset(self, "n", 2)
  rawset(self, 2, (...))
  return self
end

-- Aggregates and parameters combine into expressions.
for event, operator in pairs { __add = "+", __sub = "-", __mul = "*", __div = "/" } do
  node_mt[event] = function(a, b)
    local written = node(operator, a, b)
    return written
  end
end
node_mt.__unm = function(a)
  local written = node("negate", a)
  return written
end
node_mt.__index = function(self, name)
  error("'" .. rawget(self, "word") .. "' has no field '" .. sys.text(name) .. "'", 2)
end
node_mt.__newindex = function(self)
  error("what '" .. rawget(self, "word") .. "' gives cannot be changed", 2)
end

local function words(names, make)
  for name in names:gmatch "[%w_]+" do _ENV[name] = make(name) end
end

-- No tail call to node: the frame in between tells whether the word itself was tail-called.
local function writer(name)
  return function(...)
    local written = node(name, ...)
    return written
  end
end

words("from to level handler measure change session join together seq incident lookup", writer)
words("missing impact path context", writer)
words([[oneof gt gte lt lte between prefix suffix contains has matches exists missing_field
  any_of except]], writer)
words("count sum avg min max first last delta rate stddev increase changes resets elapsed trend ewma", writer)
words("latest distinct quantile topk prev", writer)

function rule(...)
  if running() then error("a rule is declared by the file, not by a function that runs later", 2) end
  local r = node("rule", ...)
  registered[#registered + 1] = r
  return r
end

function test(...)
  if running() then error("a test is declared by the file, not by a function that runs later", 2) end
  local t = node("test", ...)
  tests[#tests + 1] = sys.wants_tests() and t or true
  return t
end

-- In a table P"name" stands for the parameter; in a function that runs it is its value.
function P(...)
  if running() then return sys.param(...) end
  local written = node("P", ...)
  return written
end

null = sys.make_null()

-- Known, but of a later version: none now. What they give lets the file go on, so that more can be told about it.
words([[]], function(name)
  takes_table[name] = true
  return function(...)
    local r = node(name, ...)
    rawset(r, "later", true)
    refused[#refused + 1] = r
    return r
  end
end)

function import()
  error("'import' is not supported yet", 2)
end

sys.keep(registered, refused, node_mt, tests)
