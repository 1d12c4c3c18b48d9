public import Core
internal import Digest
internal import OpenCL
internal import Synchronization

extension OpenCLDevice {
    public func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram {
        try core.checkAlive()
        let text = try source.text()
        let options = try buildOptions(source, declaresBuiltins: declaresBuiltins(source))
        let key = cacheKey(text: text, options: options)
        let memoryKey = "\(source.name) \(key)"
        if let built = programs.withLock({ $0[memoryKey] }) { return built }
        let start = clock.monotonicSeconds
        let stored = try cache.flatMap { cache throws(Failure) in
            try load(cache: cache, key: key, options: options, name: source.name)
        }
        let program: Program
        if let stored {
            program = stored
        } else {
            program = try compile(source, text, options)
            store(program, key: key)
        }
        let built = OpenCLProgram(
            source, program: program, core: core, buildSeconds: clock.monotonicSeconds - start,
            isCached: stored != nil)
        programs.withLock { $0[memoryKey] = built }
        return built
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

    private func compile(
        _ source: ProgramSource, _ text: String, _ options: String
    ) throws(Failure) -> Program {
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
    ) throws(Failure) -> Program {
        let context = core.context
        let result = try core.bounded(
            "building program \(name)", limitSeconds: core.buildSecondsMax
        ) {
            Result { () throws(OpenCLError) in
                let program = try Program(context, source: text)
                try program.build(options: options)
                return program
            }
        }
        switch result {
        case .success(let program): return program
        case .failure(let error): throw error.failure.at("\(core.label): program \(name)")
        }
    }

    /// The stored program; nil when there is none that this driver takes back.
    private func load(
        cache: ProgramCache, key: Hash256, options: String, name: String
    ) throws(Failure) -> Program? {
        guard let binary = cache.load(key) else { return nil }
        cache.beginTrial(key)
        defer { cache.endTrial(key) }
        let context = core.context
        let result = try core.bounded(
            "loading program \(name)", limitSeconds: core.buildSecondsMax
        ) {
            Result { () throws(OpenCLError) in
                let program = try Program(context, binary: binary)
                try program.build(options: options)
                try program.checkHasKernels()
                return program
            }
        }
        if case .success(let program) = result { return program }
        cache.remove(key)
        return nil
    }

    /// Whether asking for a program's binary has it compiled once more. PoCL compiles every kernel
    /// for groups of any size then, which are none that we launch, and keeps what it compiled for
    /// launches in a cache of its own.
    private var compilesForBinaries: Bool { isPoCL }

    /// Whether this is PoCL, which takes writes to the queue without waiting too. Mesa's rusticl
    /// (22.3) loses count of a buffer's mappings where some of its writes are not mappings.
    var isPoCL: Bool { platform.name == "Portable Computing Language" }

    /// Keeps a compiled program for later runs. A cache that cannot be written costs time, not
    /// results, so nothing is reported.
    private func store(_ program: Program, key: Hash256) {
        guard let cache, options.cachesEveryProgram || !compilesForBinaries else { return }
        let result = try? core.bounded(
            "reading back a program", limitSeconds: core.buildSecondsMax
        ) { Result { () throws(OpenCLError) in try program.binary() } }
        if case .success(let binary) = result, !binary.isEmpty { cache.store(binary, key) }
    }
}
