// Written by scripts/meshes/make_known_answers.py.

extension MeshKnownAnswers {
    package static let files: [KnownFile] = [
        KnownFile(
            name: "draco edgebreaker", kind: .draco([(0, 3), (1, 3), (2, 2), (3, 4), (4, 1)]),
            sha256: "982aa41a62c23f85f998b29bd86995f70ce36e6f660b44bfcb324e11455c804b",
            base64: """
                RFJBQ08CAgEBAAAAJDIEMgQAD+/T6lOt6lPVqupTVa2qGv8BEf8CyET/AshE/wLIRP8CyEQF/wABAAAA\
                AQAAAgAAAwAAAQAJAwAAAgEBCQMAAQMBAwkCAAICAQQCBAADAQEECQEABAABAQEADAOJI5EDE5EDARCR\
                A8kBCuhsoOtQW7Is4W+mP3MIlYw5cgBkBiAygExCZACZagJoiQCRAWRqDQCAAEQGkKkmgJalAOMIAEQG\
                kKk1AAAAIKAUYBwAAAAA/wcAAAAAAAAAAAAAMxHVvgAAwD8LBgMBAQb8AakqkQMH5OTkA+Tk////f1UF\
                D1UFJ+TJARP1oMqRM0wNo5H7CF7dbLBSGCOh/wAAAH8AAAD/AoBCCAUBAQALA1UFD60KOR45DskByQEL\
                oYquNqQghAAps18yz6w580tYCAAIwz0hACIAgNwCtoCBAAC+gLH8yz8iACEAADHA/BK+hC9hIQAAIMAM\
                EAI/4Av0gDHwFwIAIgAAAAgD+IeFAAAAAP8DAAAAAAAAAAAAAAAAgD8KAQEBAQUFORqtCgEIOQrlCCnx\
                9dxdMgQqe7YlKxH2cJ7J0Y1y8MTvm9wAhktZUwgj4iBitbubZs7LhwAAAAAEAAAAMzMzwJqZ2b/NzCzA\
                zczMv5qZGb8zMzO/Zmbmv5qZOcCamXnAMzNzwM3MbMBmZibAAADAvwAAAL8AAAA/zczMPpqZmT7NzEy/\
                MzPzvwAAQMAAAIDAAACgwM3MnMCamZnAZmaWwGZmZsAAACDAAABgwDMzk8AAAJDAAAAAwGZmZr8AAIC/\
                zczMPQAAAADNzEw+
                """),
        KnownFile(
            name: "draco sequential", kind: .draco([(0, 3), (1, 3), (2, 2), (3, 4), (4, 1)]),
            sha256: "99b2aa0d0a9f161352316ff6f809d2596df56eccda8663427653b6965cf77ed0",
            base64: """
                RFJBQ08CAgEAAAAyJAEAAQIBAwIBBAMEBQMEBgUGBwUGCAcICQcICgkKCwkCAwwDDQwDBQ0FDg0FBw4H\
                Dw4HCQ8JEA8JCxALERAMDRINExINDhMOFBMODxQPFRQPEBUQFhUQERYRFxYSExgTGRgTFBkUGhkUFRoV\
                GxoVFhsWHBsWFxwXHRwYGR4ZHx4ZGh8aIB8aGyAbISAbHCEcIiEcHSIdIyIBBQAJAwAAAQkDAAEDCQIA\
                AgQCBAADBAkBAAQCAwIBAAABAQEDzwzxEv//2/kCd40DmC/5Ajv5Av//////T/kCX/kC////M2ECIQQD\
                MQH/K/kCP/kC//8z+QITmI0DD/kC//////////+HYQI040ohped69eftiFVSibp4+9lPKz8p9HG7eXy9\
                7rYZisApC4RdekzouZ1BQbOsfZHZDwMDhQAAAAD/BwAAAAMBAQLcAZUjY3EEcQQnVQUDcQT/V+SbkQPD\
                5ANxBBf8QlQ6EK4FemRQWXLaicDi6r9naKtkgP8AAAB/AAAAAAEBAQGbA+UYA5ED////////U60KcQRx\
                FBQoxzkNuBUSrieP0oS73p1THwIgowAAAAD/AwAAAAEBAQEFcB0HOQKtDpEnHTDswGXRnylBc9fxy8B5\
                BWzzDh0AT8bvHc8iEsCSAAAAAAQAAAAAAAAAzczMPQAAgL9mZma/zcxMPs3MTL+amZk+MzMzv83MzD6a\
                mRm/AAAAPwAAAL8AAADAMzPzv2Zm5r+amdm/zczMvwAAwL8AAEDAmpk5wDMzM8DNzCzAZmYmwAAAIMAA\
                AIDAmpl5wDMzc8DNzGzAZmZmwAAAYMAAAKDAzcycwJqZmcBmZpbAMzOTwAAAkMAAAAAAAAAAADMR1b4A\
                AMA/CwgAAAAAAAAAAAAAgD8K
                """),
        KnownFile(
            name: "meshopt attributes",
            kind:
                .meshopt(count: 400, stride: 8, mode: .attributes, filter: .none),
            sha256: "1197c176a8a08a762ebd9a4b526fb6a76e4d33ab03aa94ad4056f01b1f33e31b",
            base64: """
                oP////8AyMjIyMjIyMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjI\
                yMjIyMjXyMjIyMjIyMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjI\
                yMjIyMjXyMjIyMjIyMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjI\
                yMjIyMjXyMjIyMjIyMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjI\
                yMjIyMjXyMjIyMjIyMjIyMjIyMjIVVVVVQIIgiCIwgiCDSCIwggNgiCIwg0IgiCIwgiCIA2IwgiCDSCI\
                wggNgiCIwg0IgiCIwgiCIA2IwgiCDSCIwggNgiCIwg0IgiCIwgiCIA1UVFFFAMAAALQAAMAAtAAAAMC0\
                wAAAALQAwAAAtAAAwAC0AAAAwLTAAAAAtADAAAC0AADAALQAAADAtMAAAAC0QEBAQAAAAIAAAIAAAIAA\
                AIAAAACkqvqrACqqqiIiLyI0REREH09ERERPRHZmHR1m9mZm9mZvZhsbG7iIj4iPiI+IGRkZj4j6qvqv\
                qq8ZDxcXF6r6r6r8z8z8FxcTFRXPzPzPz8z+7xUVFRUXE+/u/v7v7+/uExMTExMTGxAQERAREBEQERAR\
                EBEQERAREBAfEg8SDxIPEg8SDxIPEg8SDw8SDwEUDRQNFA0N/f3f3939X78UFBQUFBYWu/u/u/u/u/sW\
                FhYWFp+Z+Z+Zn5n5GBgYGBgAAAAAu6qqqgALEBUCHhsQEx4TCQIWABWp9/SL/8v/qB4XFhUgGREaGwwQ\
                FwMGCg8cHQEKEgR1gFMzSe4ZidL1+r8/L9AoGg8WFx4fDO8fqWH/WxcZEBUcP/ppagb2868YGxkSEX+P\
                oylTYWDfEhEe9i+Pixv/9pATERIYHRoA/1+nj/PvRREYFRAREY//9Iz4YI8PGhsQFQ8XGBIL1B4+//z5\
                ExYfFN//3c+bx/AbGiEgEBRRKpHxfw/tOhQVEGUPp4/4f/9/ERAREh0eES+//1/0P2AXEhITEA8UE1VV\
                VVUZJmQhCECQmGYQmQgABAgASGYSABCSAGEkkgSBIYEAAkkgGYAGECSQJkJIEgBCZkhmEhmAQkgQkgEC\
                ZmEmYYEA//8DyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjIyMjIyMjXyMjIyMjI\
                yMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjI18jIyMjIyMjIyMjIyMjIyMjIyMjXyMjIyMjI\
                yMjIyMjIyMjIyMjIyNfIyMjIyMjIyMjIyMjIyMjIyMjIVVUBiMIIgg0giMIIDYIgiMINCIIgiMIIgiAN\
                iMIIgg0giMIIDYIgiMINCIIgiBVVAADAAAC0AADAALQAAADAtMAAAAC0AMAAALQAAMAAtAAAAMC0EBAA\
                AAAAgAAAgACqVQKZ+d93f3d/dxgaGhp/d3f3/1VV9RoaERwcVVX1VVX1/zMcHBUeMzM/MzMzM/MeHvVV\
                VVUZIF3AAAAgHQAAKqqqqrr/HwMEBARERE9ERERPRB0dAAAAu64CCBQTFgcNGgAZBwAGGhcSDQvzbvY/\
                f19kEBESERQFBhcaGRgAHxwRCQgCARYX//wCP//BTU8cHxIXHB8aNvT3wPTEIy8hGBMREg8SFRATEhMS\
                BAcPCgwVCGsu2H/X9vQ/FBITEGc22h///lD/DxIVFBsYPN7yhxwNhn8bElVVASYYQJkAhmEgBmGQCZgB\
                kAIEgEgBmZmBJJJCSEIAYZgGAEAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA
                """),
        KnownFile(
            name: "meshopt octahedral 8",
            kind:
                .meshopt(count: 40, stride: 4, mode: .attributes, filter: .octahedral),
            sha256: "1c971174e28d677498dcfc103db8470ef41103af8ef4f3591ee1a3c11711e482",
            base64: """
                oB8AcSIKIJsHXideKrcDzGcdlk2TEiYTwE0ZOzY7iIs9uP//AAAtCUMjjh0JMB8AN7oJVRcxNxskWBMW\
                RznQS0U4JzlOOAEzfIlWpwoJ+v//AAChkg0HIDMrLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                ADD/fwA=
                """),
        KnownFile(
            name: "meshopt octahedral 16",
            kind:
                .meshopt(count: 40, stride: 8, mode: .attributes, filter: .octahedral),
            sha256: "34727cc6b9ebfaa871172a217154eb0e40cb3c44f0c2fc53ec94f70fe6df2e40",
            base64: """
                oB8A/UJDmspqHBXzg4MA1LxfrVjFKBorwCHi4As+EvI4TP//AABqFYyb+0m1OioA8XkhYxpHABBppSCW\
                BHbLeFqwo80AAAAAHwBTsNmmVVNxOQN7kmVL/bd8rH11JVIUfaAu+uZYR8LD//8AAHYsK/yQjjocKg8/\
                b/9b9lFPEBEQGRIUFUR6aSK+IprfGP5Tz+QAAAAAFREAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                0P1z/v8HBQA=
                """),
        KnownFile(
            name: "meshopt quaternion",
            kind:
                .meshopt(count: 40, stride: 8, mode: .attributes, filter: .quaternion),
            sha256: "64cee98f47148a17eb048b0db9419b57a13875f41a438dcc07b8cad44c26e490",
            base64: """
                oB8AUp7GCZZ1NY7x9oL8RDDBeftEV1PBIG/s9IbyKgJihf//AACjVNzwEafehCoFPgsIngLwSg8JZxJm\
                sGY5/RAM3lJ2AAAAAB8AqKsKDnyM5pCPMbI4qeTa9LVZRtuTb2KHwnNNViyBGf//AACXH3epFHeSOCoA\
                azKiSVLHBBdn94CaAVNIEDSYmAAAAAAAHwDQ4/mYAwRENEgBvMONx0X1x/lN1e2HNfOWGyYmNfiN//8A\
                AHTJf9xYzA2wKgmElSFn8pCNEARGVlZZKBOBFt4DngAAAAAVKurq6gUFBerq6uoFBQUF6uoAAAUFAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAO8B6wCcA/wH
                """),
        KnownFile(
            name: "meshopt exponential",
            kind:
                .meshopt(count: 20, stride: 12, mode: .attributes, filter: .exponential),
            sha256: "5ec93b0db1763a734847fae5319b4b1bc1678d20df02806a4d40c849c30e3d50",
            base64: """
                oAcAJfo1TJLAjouY5RCHcLtJ/wAAAL+im9UHABvnHf9akq589AlHQEcM3f8AAAClBRTYBwDKns6AtEGR\
                aUk2G2dyCEb/AAAAByq29QcABRoPBg0aEAEjODU2AgUD/wAAADMsBgMHAAKmu7/Jc8sqQPw9qaR7KP8A\
                AABiwGG5BwCNE47/Ba6OIzIlEgcrCBD/AAAA/YKYRgcA2RqpXk+2rr5e9/eYspFc/wAAABj6N5oHADAN\
                ABQBLR4CESQZCiUuGPcAAAApGwwHAE3ymnp6RHebSvLdnzaR6v8AAABVfoOyBwDTKLLba1/kk9Ouema9\
                Q2f/AAAAldgDVAcAOpEecUOp14hqR1VVnpie/wAAAOwVLLwHAA4nOg0cOQwmKx4hGAIFGf8AAAAiLS4f\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAuOGTz/GSU7OGTvvw=
                """),
        KnownFile(
            name: "meshopt triangles 16",
            kind:
                .meshopt(count: 294, stride: 2, mode: .triangles, filter: .none),
            sha256: "dd1f8de5a10bab9fb1cd5b7d8eb04246153c8e219123dfd5347fdce792178eef",
            base64: """
                4P4fEA8QDxAPEA8QDxAP/h8dDxwPGw8aDxkPGA//HxgPGA8YDxgPGA8YD/8fGA8YDxgPGA8YDxgP/x8Y\
                DxgPGA8YDxgPGA//HxgPGA8YDxgPGA8YD/8fGA8YDxgPGA8YDxgPDxACAgICAgIC3wICAgICAgICfw0Q\
                AgICAgICAn8NEAICAgICAgJ/DRACAgICAgICfw0QAgICAgICAn8NEAICAgICAgIAdodWZ3iphmWJaJgB\
                aQAA
                """),
        KnownFile(
            name: "meshopt indices 16",
            kind:
                .meshopt(count: 60, stride: 2, mode: .indices, filter: .none),
            sha256: "463aac8856945e0b0f933f188e7959ae26aedb87e2cbdab1837ec70692380960",
            base64: """
                0LEJAAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcE\
                BwQAAAAA
                """),
        KnownFile(
            name: "meshopt triangles 32",
            kind:
                .meshopt(count: 294, stride: 4, mode: .triangles, filter: .none),
            sha256: "83e51eddeda16929ff12a6da117aa234272b03d5da5e1ec0132b795f59a580a5",
            base64: """
                4P4fEA8QDxAPEA8QDxAP/h8dDxwPGw8aDxkPGA//HxgPGA8YDxgPGA8YD/8fGA8YDxgPGA8YDxgP/x8Y\
                DxgPGA8YDxgPGA//HxgPGA8YDxgPGA8YD/8fGA8YDxgPGA8YDxgPDxACAgICAgIC3wICAgICAgICfw0Q\
                AgICAgICAn8NEAICAgICAgJ/DRACAgICAgICfw0QAgICAgICAn8NEAICAgICAgIAdodWZ3iphmWJaJgB\
                aQAA
                """),
        KnownFile(
            name: "meshopt indices 32",
            kind:
                .meshopt(count: 60, stride: 4, mode: .indices, filter: .none),
            sha256: "92c949d96bab162cc083be398c6d15fbf44d55bc91441f5127c8a55f7ff6bd40",
            base64: """
                0LEJAAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcEBwQHBAcE\
                BwQAAAAA
                """),
    ]
}
