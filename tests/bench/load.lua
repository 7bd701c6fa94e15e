-- Requests for wrk. After "--": MODE, a file, the number of the repetition, points a request, then headers "Name: value".
--   send    the file holds one request: method, path, and in the third line a body or nothing
--   get     the file holds ids of runs, one a line; reads them in turn
--   metric  logs a point to one after the other
--   batch   logs many points to one after the other, 10 metrics a step
--   columns the same by cairnd's binary route
-- No two requests log the same points: each goes on where the last one of its run ended.

local ffi = require("ffi")
local API = "/api/2.0/mlflow"
local HOLE = string.rep("0", 32) -- where the id of a run goes
local STEP = "#######" -- where a step goes, of seven digits; its time is 170#######000
local FIRST_STEP = 1100000 -- with all steps and times after it of as many digits, and of as many bytes as varints
local STEPS = 100000 -- of a run in a repetition
local REPETITIONS = 89
local TEMPLATES = 17 -- no divisor of the number of runs: each run gets all of them
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local ids, turn = {}, 0

local function next_id()
	turn = turn + 1
	return ids[(turn - 1) % #ids + 1]
end

-- every thread has runs of its own
local function read_ids(file)
	local at = 0
	for id in io.lines(file) do
		if at % 2 == number % 2 then ids[#ids + 1] = id end
		at = at + 1
	end
end

-- a request with holes: bytes to be filled in place
local function template(path, body, keys)
	local whole = wrk.format("POST", API .. path, nil, body)
	local t = {size = #whole, bytes = ffi.new("char[?]", #whole + 1), id = whole:find(HOLE, 1, true) - 1, a_step = 2 * keys}
	local at, holes = whole:find(STEP, 1, true), {}
	ffi.copy(t.bytes, whole)
	while at do
		holes[#holes + 1] = at - 1
		at = whole:find(STEP, at + #STEP, true)
	end
	t.count = #holes
	t.holes = ffi.new("int[?]", #holes, holes)
	return t
end

local digits = ffi.new("char[8]")

local function write_step(step)
	for i = 6, 0, -1 do
		digits[i] = 48 + step % 10
		step = math.floor(step / 10)
	end
end

local function fill(t, id, step)
	for i = 0, t.count - 1 do
		if i % t.a_step == 0 then
			write_step(step)
			step = step + 1
		end
		ffi.copy(t.bytes + t.holes[i], digits, #STEP)
	end
	ffi.copy(t.bytes + t.id, id, #HOLE)
	return ffi.string(t.bytes, t.size)
end

local function point(key)
	return string.format('"key":"%s","value":%.6f,"timestamp":170%s000,"step":%s', key, math.random(), STEP, STEP)
end

local function points(count)
	local out = {}
	for i = 0, count - 1 do out[#out + 1] = "{" .. point("train/metric_" .. i % 10) .. "}" end
	return table.concat(out, ",")
end

-- requests in turn over the runs, each of so many steps
local function in_turn(templates, repetition, steps, fill_with)
	local first = FIRST_STEP + repetition % REPETITIONS * STEPS
	return function()
		local round = math.floor(turn / #ids)
		return fill_with(templates[turn % #templates + 1], next_id(), first + round * steps % STEPS)
	end
end

local make = {}

function make.send(file)
	local line = io.lines(file)
	local method, path, body = line(), line(), line()
	local whole = wrk.format(method, path, nil, body)
	return function() return whole end
end

function make.get(file)
	read_ids(file)
	for i, id in ipairs(ids) do ids[i] = wrk.format("GET", API .. "/runs/get?run_id=" .. id) end
	return next_id
end

function make.metric(file, repetition)
	local templates = {}
	read_ids(file)
	for i = 1, TEMPLATES do
		templates[i] = template("/runs/log-metric", string.format('{"run_id":"%s",%s}', HOLE, point("train/loss")), 1)
	end
	return in_turn(templates, repetition, 1, fill)
end

function make.batch(file, repetition, count)
	local templates = {}
	read_ids(file)
	for i = 1, TEMPLATES do
		templates[i] = template("/runs/log-batch", string.format('{"run_id":"%s","metrics":[%s]}', HOLE, points(count)), 10)
	end
	return in_turn(templates, repetition, math.ceil(count / 10), fill)
end

-- ---- columns: server/ingest/README.md has the bytes ----

local function varint(value)
	local out = {}
	while value >= 128 do
		out[#out + 1] = string.char(value % 128 + 128)
		value = math.floor(value / 128)
	end
	out[#out + 1] = string.char(value)
	return table.concat(out)
end

local function zigzag(value) -- of what is not below 0
	return varint(2 * value)
end

local function doubles(n)
	local values = ffi.new("double[?]", n)
	for i = 0, n - 1 do values[i] = math.random() end
	return ffi.string(values, 8 * n)
end

-- steps one apart, times a second: the first of each, the first difference, and no change of it
local function columns_body(count)
	local keys, out = math.min(count, 10), {}
	local n = count / keys
	out[1] = "CMB\1\0" .. varint(count) .. varint(keys)
	for i = 0, keys - 1 do
		local name = "train/metric_" .. i
		out[#out + 1] = varint(#name) .. name
	end
	for i = 0, keys - 1 do
		out[#out + 1] = "\0" .. varint(i) .. varint(n)
		for _, first in ipairs({FIRST_STEP, 1700000000000 + FIRST_STEP * 1000}) do
			local difference = first == FIRST_STEP and 1 or 1000
			out[#out + 1] = zigzag(first) .. (n > 1 and zigzag(difference) .. string.rep("\0", n - 2) or "")
		end
		out[#out + 1] = doubles(n)
	end
	return table.concat(out)
end

-- where a run of bytes stands in another
local function places(whole, part)
	local found, at = {}, whole:find(part, 1, true)
	while at do
		found[#found + 1] = at - 1
		at = whole:find(part, at + #part, true)
	end
	return found
end

local function columns_template(count)
	wrk.headers["Content-Type"] = "application/x-cairn-metrics"
	local whole = wrk.format("POST", "/api/v1/runs/" .. HOLE .. "/metrics", nil, columns_body(count))
	local t = {size = #whole, bytes = ffi.new("char[?]", #whole + 1), id = whole:find(HOLE, 1, true) - 1}
	ffi.copy(t.bytes, whole)
	t.steps, t.times = places(whole, zigzag(FIRST_STEP)), places(whole, zigzag(1700000000000 + FIRST_STEP * 1000))
	return t
end

local function fill_columns(t, id, step)
	local step_bytes, time_bytes = zigzag(step), zigzag(1700000000000 + step * 1000)
	for _, at in ipairs(t.steps) do ffi.copy(t.bytes + at, step_bytes, #step_bytes) end
	for _, at in ipairs(t.times) do ffi.copy(t.bytes + at, time_bytes, #time_bytes) end
	ffi.copy(t.bytes + t.id, id, #HOLE)
	return ffi.string(t.bytes, t.size)
end

function make.columns(file, repetition, count)
	local templates = {}
	read_ids(file)
	for i = 1, TEMPLATES do templates[i] = columns_template(count) end
	return in_turn(templates, repetition, math.ceil(count / 10), fill_columns)
end

function init(args)
	math.randomseed(number + 1)
	for i = 5, #args do
		local name, value = args[i]:match("^(.-): (.*)$")
		wrk.headers[name] = value
	end
	wrk.headers["Content-Type"] = "application/json"
	request = make[args[1]](args[2], tonumber(args[3]), tonumber(args[4]))
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('\n{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"late":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
		summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write, e.timeout, latency:percentile(50) / 1000,
		latency:percentile(99) / 1000))
end
