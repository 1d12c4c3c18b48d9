import ArgumentParser
import Core

/// `rigor quote`: what a render would take, before anybody is asked to do it.
struct QuoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quote",
        abstract: "Say time and price of a render on each device, before it is begun.",
        discussion: """
            Takes the options of `rigor render` that say which picture, and renders a few pieces \
            that lie evenly over it, for some seconds a device. The time said is load, \
            preparation, compilation and computation, without the writing of the picture. How \
            far off it may \
            be follows from how much the pieces differ; a machine that gets busier, or throttles, \
            is not foreseen. Orders of a market (--order) say what it costs there, whatever it \
            takes, and what that pays a device an hour. With a noise target it is the most that \
            the render takes. Of --frames three are tried, the first, the middle and the last, \
            and the time is that of all, one after the other. Without --device every device but \
            simulators is asked.

            EXAMPLES
              rigor quote shop.glb --size 1920x1080 --spp 1024
              rigor quote shop.glb --spp 4096 --price-per-hour 0.9 --device gpu
              rigor quote fox.glb --frames 1-250 --fps 24 --price-per-hour 0.9
              rigor quote shop.glb --price-per-kwh 0.31 --json
              rigor quote shop.glb --order demo/market/orders/0-app.json --order pool.json
            """)

    @OptionGroup var render: RenderCommand

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Seconds of rendering on each device. (default: 4)", valueName: "s"),
        transform: Accepted.decimal(0...3600))
    var budget = 4.0

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("What an hour of a device costs.", valueName: "price"),
        transform: Accepted.decimal(0...1_000_000_000))
    var pricePerHour: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "What a kilowatt-hour costs, where sensors tell what a device draws.",
            valueName: "price"),
        transform: Accepted.decimal(0...1_000_000_000))
    var pricePerKwh: Double?

    @OptionGroup var orders: OrderOptions

    func validate() throws {
        try render.refuseMaking("a quote is for whole pictures, and makes none")
    }

    func run() async throws {
        let console = Console()
        if let output = render.picture.output {
            console.note(
                "-o \(output): nothing is written, and the time is without writing it or layers")
        }
        let quotes = try DeviceQuotes(self, console).run()
        if render.format.json {
            console.write(.perDevice(quotes.map(\.json)))
        } else {
            for quote in quotes { for line in quote.lines { console.say(line) } }
            if let line = DeviceQuote.together(quotes) { console.say(line) }
        }
        if quotes.allSatisfy({ $0.failure != nil }) { throw ExitCode.failure }
    }
}
