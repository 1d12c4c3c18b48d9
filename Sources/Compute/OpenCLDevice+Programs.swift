public import Core
internal import Digest
internal import OpenCL
internal import Synchronization

extension OpenCLDevice {
    public func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram {
        try core.checkAlive()
        if let built = programs.withLock({ $0[source] }) { return built }
        return try building.withLock { (_) throws(Failure) in
            if let built = programs.withLock({ $0[source] }) { return built }
            let built = try build(source)
            programs.withLock { $0[source] = built }
            return built
        }
    }

    /// What was built so far: for tests.
    package var builtPrograms: Set<ProgramSource> { programs.withLock { Set($0.keys) } }

    private func build(_ source: ProgramSource) throws(Failure) -> OpenCLProgram {
        let start = clock.monotonicSeconds
        let text = try source.text()
        let options = try buildOptions(source, declaresBuiltins: declaresBuiltins(source))
        let key = cacheKey(text: text, options: options)
        let stored = try cache.flatMap { cache throws(Failure) in
            try load(cache: cache, key: key, options: options, name: source.name)
        }
        let compiled: Compiled
        if let stored {
            compiled = stored
        } else {
            compiled = try compile(source, text, options)
            store(compiled, key: key)
        }
        return OpenCLProgram(
            source, program: compiled.program, core: core,
            buildSeconds: clock.monotonicSeconds - start, isCached: stored != nil)
    }

    /// - Parameter declaresBuiltins: see ``declaresBuiltins(_:)``.
    private func buildOptions(
        _ source: ProgramSource, declaresBuiltins: Bool
    ) throws(Failure) -> String {
        var extra: [String: String] = [:]
        // The second one is the guard of clang's header.
        if declaresBuiltins { extra = ["EXACT_BUILTINS": "", "_OPENCL_H_": ""] }
        if !description.prefersWideVectors { extra["RIGOR_NARROW"] = "" }
        if isPoCL, description.kind == .cpu { extra["EXACT_APART"] = "" }
        // Why, and of the one above: Kernels/exact/prelude.cl and fma.cl.
        if platform.name == "rusticl" { extra["EXACT_CALLS"] = "" }
        if info.single.isDisjoint(with: [.fma, .subnormals]) { extra["EXACT_SPLIT_FMA"] = "" }
        // The option makes a build fail where the device does not announce it.
        let announces = info.single.contains(.correctlyRoundedDivideSqrt)
        guard announces || !source.wantsCorrectRounding else {
            throw Failure(
                .unsupported,
                """
                \(core.label): program \(source.name): correctly rounded division and root are not \
                announced
                """)
        }
        let native = announces ? self.options.native : []
        if native.contains(.divide) { extra["EXACT_NATIVE_DIVIDE"] = "" }
        if native.contains(.squareRoot) { extra["EXACT_NATIVE_SQRT"] = "" }
        var options = try source.options(adding: extra)
        if !native.isEmpty || source.wantsCorrectRounding, announces {
            options += " -cl-fp32-correctly-rounded-divide-sqrt"
        }
        // Keeps the parameters' names and types; changes no code. Nobody reads warnings here, but
        // clang inside a driver counts them on the terminal.
        return options + " -cl-kernel-arg-info -w"
    }

    /// All that a compiled program depends on (rule 29 of bit-exactness).
    private func cacheKey(text: String, options: String) -> Hash256 {
        let parts = [
            text, options, description.name, "\(info.vendorID) \(info.pciDeviceID ?? 0)",
            info.version, info.driverVersion,
            platform.name, platform.version, "\(info.computeUnits)",
        ]
        return ProgramCache.key(parts)
    }

    /// Whether built-in functions are declared by `exact/builtins.cl`, and not by the compiler's
    /// own header: PoCL reads that again for every program, those in its cache as well.
    private func declaresBuiltins(_ source: ProgramSource) -> Bool {
        isPoCL && description.kind == .cpu && source.customText == nil
    }

    /// A built program.
    private struct Compiled {
        let program: Program
        /// What to keep of it, where that is not what the driver gives when asked.
        var binary: Bytes?
    }

    private func compile(
        _ source: ProgramSource, _ text: String, _ options: String
    ) throws(Failure) -> Compiled {
        do throws(Failure) {
            return try compile(text, options: options, name: source.name)
        } catch {
            guard declaresBuiltins(source), core.lost == nil else { throw error }
            // Another version of the driver may ask for more than those declarations.
            let plain = try buildOptions(source, declaresBuiltins: false)
            return try compile(text, options: plain, name: source.name)
        }
    }

    private func compile(
        _ text: String, options: String, name: String
    ) throws(Failure) -> Compiled {
        let context = core.context
        let takesBitcode = takesBitcode
        let result = try bounded("building program \(name)") { () throws(OpenCLError) in
            let source = try Program(context, source: text)
            if takesBitcode {
                try source.compile(options: options)
                if let bitcode = try? PoCLBinary.bitcode(in: source.binary()),
                    let program = try? Self.program(context, bitcode, options)
                {
                    return Compiled(program: program, binary: bitcode)
                }
            }
            let program = takesBitcode ? try Program(context, source: text) : source
            try program.build(options: options)
            return Compiled(program: program)
        }
        switch result {
        case .success(let compiled): return compiled
        case .failure(let error): throw error.failure.at("\(core.label): program \(name)")
        }
    }

    /// The stored program; nil when there is none that this driver takes back.
    private func load(
        cache: ProgramCache, key: Hash256, options: String, name: String
    ) throws(Failure) -> Compiled? {
        guard let binary = cache.load(key) else { return nil }
        cache.beginTrial(key)
        defer { cache.endTrial(key) }
        let context = core.context
        let result = try bounded("loading program \(name)") { () throws(OpenCLError) in
            try Self.program(context, binary, options)
        }
        if case .success(let program) = result { return Compiled(program: program) }
        cache.remove(key)
        return nil
    }

    private static func program(
        _ context: Context, _ binary: Bytes, _ options: String
    ) throws(OpenCLError) -> Program {
        let program = try Program(context, binary: binary)
        try program.build(options: options)
        try program.checkHasKernels()
        return program
    }

    private func bounded<Value: Sendable>(
        _ doing: String, _ body: @escaping @Sendable () throws(OpenCLError) -> Value
    ) throws(Failure) -> Result<Value, OpenCLError> {
        try core.bounded(doing, limitSeconds: core.buildSecondsMax) {
            Result { () throws(OpenCLError) in try body() }
        }
    }

    /// Whether this is PoCL, which takes writes to the queue without waiting too. Mesa's rusticl
    /// (22.3) loses count of a buffer's mappings where some of its writes are not mappings.
    var isPoCL: Bool { platform.name == "Portable Computing Language" }

    /// Whether programs go by way of ``PoCLBinary``. With the version that we have met: another may
    /// ask bitcode for more than this one does, and say so at a launch.
    private var takesBitcode: Bool {
        isPoCL && description.kind == .cpu && platform.version.contains("PoCL 3.1")
    }

    /// Keeps a compiled program for later runs. A cache that cannot be written costs time, not
    /// results, so nothing is reported.
    private func store(_ compiled: Compiled, key: Hash256) {
        guard let cache else { return }
        if let binary = compiled.binary { return cache.store(binary, key) }
        // Asked for a binary, PoCL compiles every kernel for groups of any size, which are none
        // that we launch.
        guard !isPoCL else { return }
        let result = try? bounded("reading back a program") { () throws(OpenCLError) in
            try compiled.program.binary()
        }
        if case .success(let binary) = result, !binary.isEmpty { cache.store(binary, key) }
    }
}
