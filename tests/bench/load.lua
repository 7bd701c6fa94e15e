-- Requests for wrk. After "--": MODE, a file, the number of the repetition, points a request, then headers "Name: value".
--   send    the file holds one request: method, path, and in the third line a body or nothing
--   get     the file holds ids of runs, one a line; reads them in turn
--   metric  logs a point to one after the other
--   batch   logs many points to one after the other; no two requests of a repetition are the same until each run had 64

local API = "/api/2.0/mlflow"
local HOLE = string.rep("0", 32) -- where the id of a run goes
local BODIES = 64
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

local function points(first, count)
	local out = {}
	for i = 0, count - 1 do
		local step = first + math.floor(i / 10)
		out[#out + 1] = string.format('{"key":"train/metric_%d","value":%.6f,"timestamp":%d,"step":%d}', i % 10, math.random(),
			1700000000000 + step * 1000, step)
	end
	return table.concat(out, ",")
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
	read_ids(file)
	return function()
		local id = next_id()
		local step = repetition * 1000000 + turn
		return wrk.format("POST", API .. "/runs/log-metric", nil, string.format(
			'{"run_id":"%s","key":"train/loss","value":%.6f,"timestamp":%d,"step":%d}', id, math.random(), 1700000000000 + step, step))
	end
end

function make.batch(file, repetition, count)
	local heads, tails = {}, {}
	read_ids(file)
	for i = 1, BODIES do
		local first = (repetition * BODIES + i) * math.ceil(count / 10)
		local whole = wrk.format("POST", API .. "/runs/log-batch", nil,
			string.format('{"run_id":"%s","metrics":[%s]}', HOLE, points(first, count)))
		local at = whole:find(HOLE, 1, true)
		heads[i], tails[i] = whole:sub(1, at - 1), whole:sub(at + #HOLE)
	end
	return function()
		local body = math.floor(turn / #ids) % BODIES + 1
		return heads[body] .. next_id() .. tails[body]
	end
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
