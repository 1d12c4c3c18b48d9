// Written by scripts/imaging/make_known_answers.py.

extension ImagingKnownAnswers {
    package static let files: [KnownFile] = [
        KnownFile(
            name: "png rgb 8",
            sha256: "f8205b734ac094899e687be93827b03c9e3668ad46f2776181da4ac7b006d810",
            base64: """
                iVBORw0KGgoAAAANSUhEUgAAABUAAAATCAIAAADwLNHcAAADSUlEQVR42gXBSZLrRBAA0KzMrLmksux2\
                +w/xYcVZCO7IioNwFwKCDRHdbbcllWrkPWGQwjBuHAjXLzAchAEqQn2Bi4YWhbrIoGtbOjs4a9gsmMmG\
                85hMAgXM6aXVuzOTcPt456B3IU+67zMxJCHlpmeJzlPuWER7zS6LpYMgwBZJD8e2TXhKn+IMk/3RnoCe\
                /W5lBzUtZZ5sXqFPWvd3aU+LKH1UCy2VOkVXEYj3i+MkfdxPnwxwFqoAXIH2Muwwame7aPfcJE3j5Ame\
                Tp3Jf5y7JYQyimAwVuoE7MV3C1tN5UZ6V2XWygtJoums2BMGnTedtY06Y/uKQxwH38Y6GG6pffomY3Pw\
                4dX3sqsR11b/+Pe/rQ2zVQE2D1SRIN3//OVX0YwoMtQ9lSo8MvMVfu7wlisw+fpe3at1VGT+5299DLT8\
                yGRmFG/vVcW1F3AiZFH8HFcI9sR03rVw5uy4kh1uedFyr/ssVA3PsfUhAzx7nkFTtke4xTJQ7Ah2ylyT\
                RD7MCcZYvHp066V5pr1fX33ZIdcR/LT35AK3sR4SrFmVmapswfRZ086qAMM37R9t9dIDU01eKi/FCB7c\
                fcIPUAp6zdKbueNnKnEMzIc29t7UMoAtg6+I1tXqYrjfs3mJCYreqav7dkejPalqHxl8B1+HM6XCYOpf\
                aQPyklnjpfgtOaeelX5Y/MjVXE5S7/e/AqbKnyqZppCOCepQAYFYhot9JJ6XRwEBv//2oqrdgp2Ee7z6\
                IGWX31iG0iaYZoBxkDHLfNgvrEnK5ZEdoZrCZZupIatgOxvGcWCfJ5bYPec7ad9G8/Zt2G+myUPqqLpd\
                YwrDnxGUbLBHGSRxtsdTRMXsg+J+tHLZQF2TSjdypQs6jiPGAD0TsXrK+fpSZbZOK21T2F5Zz4uUkphq\
                G9uuvSM9xrgBPFEaVPrSkbeteNcOcZYfRZDO8bhbObd5Hp3Hqx6iQ8EBCmM0NXU+yUrdQHFKiGIOZb2i\
                4bSuY7puzGJkWz0tJnnNGWujC0rwDimjoOA/xWriSfZVsEGPZB+cv48Jx5ZlaZH8GwtqCdTFZoar0twz\
                +LV6DBC28vhyvmW0vU41ZiyV94s9A5o1u4WZS8OfolpRj5SM+x/PcarPSAaawgAAAABJRU5ErkJggg==
                """),
        KnownFile(
            name: "png grey 1",
            sha256: "12d88497986a2b3b2ebcb13bfdeea8816b0245dd88305ba03041cfe3aefd3300",
            base64: """
                iVBORw0KGgoAAAANSUhEUgAAABUAAAATAQAAAABXNXsmAAAAKElEQVR42mNgsP/BxPCAgYlBgQFGMzL8\
                /8nEwMCAHTtA1TEg6YHIAQBvAAdzp7pGBQAAAABJRU5ErkJggg==
                """),
        KnownFile(
            name: "png palette 4 with transparency",
            sha256: "a4f2d88964bf3eabd677da273fcfdb505ba748c47d723f043a991bc3c18b0112",
            base64: """
                iVBORw0KGgoAAAANSUhEUgAAABUAAAATBAMAAACNYFu4AAAAMFBMVEXU0ciT0Ksz34A7vnXajq6UmpMs\
                nF4pdEnVS4z0JUr8GkDWEGZoOE4aQiyBD0YlDxpSEHtYAAAAEHRSTlMAECAwQFBgcICQoLDA0ODwVOCo\
                yAAAAJBJREFUeNotzjFqw0AYBeFP64UQSOE6lS9gyD1zA58iB0hAFwhs7WLRCax1EVBwVn8K6VVTPIYZ\
                AjPf/CTb3pDQJwrSNClrpRRpXSumc+8lQ+W6/9FsfHlw3PjiI0IzOjzjdWgvt1qTiFkcjWT3YAB5pr+f\
                7B4FwZj1Al8zuRf+PsHhvvwuT42FTGwFe08j8A9wez0FZf+kBAAAAABJRU5ErkJggg==
                """),
        KnownFile(
            name: "png rgba 8",
            sha256: "671ba90771245e3c801802ca5e07317507cf66018838ec89fec06e88357a3850",
            base64: """
                iVBORw0KGgoAAAANSUhEUgAAABUAAAATCAYAAAB/TkaLAAAEW0lEQVR42gXBSbLkSBEAUA+PeZCUqfxT\
                VVvDiouwwbgEJ2PFQbgM1mUN1VX5lSkp5nDeYwZ5DGR2R/lEeB0fQL87CCeBYgu07QVuf2joeWFqu8nw\
                Q7eer0PcHaynhjNbMHGy4bnS9NMkSApEEemlm7Y5YSaWXKTzLsJVR5blRdcRZ+QCemLSyFPXWeLDeX6W\
                gaqyLt+K+19hVzWAIQfsfeFck8vC9iniJY0nWyeYLPza9/8AehA+NitHBDXBtc73yZbnAcNPWj/HXaK9\
                XCOrg6hZBj1BbZNcXNsQ+BDx5qxIsvklHpen+ARYgalKAK8APEIlK8koFoW1V+3u+ykDn6hfPP+E3YFa\
                efGf6zEsR4Q6qDImwFiQOlUQHtgvluBskOq74Tp2Veeilc9McmJdU1FCeY5H0GU/dXHaLlkXzP0LcmKZ\
                ZfGu6SAm4D1Bf3re5cK7A/7p1eWXGn9TtJSjN/+vb9//cXZy5myJgaVCqNTCC6QN/v2Xv/2VdUOsSgot\
                7qk2wzwSCvHa4M8GwBRoMAT4BvdgrvTmGH+59TKa0rlltGI8OZ/Yyoltd+px4seo/nTJkW2sfswyrLAv\
                75dN8DV2zVw2q0ui8WbJxeuLvsvYapyZVS2Unc4wSGKAfR9lRtAcis0qvC97JZQsIoGdoIimkkSD2Vx0\
                VlKLi2qPNcz44cbOSthfr4FZTlAakPdsavyZXdBExI4sPYFhhzJec597uPJx0ciD6QqhCPiqwT/6cXjp\
                PYiDt9S9VIeX7KDgGbgNJvx8glIAo0GRXpl5JHymUReShIVlbbTdelRXKiAsCPANEO1wrZ1uCee2lcW8\
                LClBNTryPNSG54bOaJ+4at0+SgQ/AHwDcobVBpIEZ+MLxxO481IcqPGWqweZvjhTR5PjV4s4ymhqFXZ+\
                i3FzNiDbQTxBJSpdIYc8ARwzqIAFbgrkx61aoaJYX9rDuJnBP/9OL6r9Yc8Q7cSie7ydPshDDlm/Cvkt\
                1L5PMD1ngAdlzoy5pjnbx4fQv3Mp+/VR7o7jqaZQbuf8g3fsQgVbhjAokFrGoedJPCSO6kU5Nq4X3+no\
                3vKfZNevpn+TWVa9qDzsgUsKG/mVIaghO9S4SBsk30WxWe1sCUqI4oM6xMit1xs/QbnXpL6nd25cHSfj\
                mXJe9BJgG4UjF6rvcg6vL+27LLY6rU5tUw7n2y70fM1SysoF762TOKN23vFDE2V6BwY7gjRYlb6VgQLP\
                szrv+pHZquVnrYxrKktWm5XL3OfHTOMh6E0zYoNBRSBQDJdlmJbSEBeUjddhAKtTkrFKJqtkvYqcXNe6\
                ZZpe2SmEY1TINh/51fTktREFm+r8xlHC8A4PXrAzHsg/2XGYxV/k+DyY8AZ9Qm7HQ5T5F5p+QzpHkVX1\
                hXP/UxyMd0qgzM2WHwJeFWgxcgGvjuY9BhjhrPvjY53fC/7XjhantjwLVtVEFDe7/gA0cBTnr0LcRe0N\
                /7QMdWDRlHIyzvwfIKN6Nm4uhscAAAAASUVORK5CYII=
                """),
        KnownFile(
            name: "png grey 16",
            sha256: "d7307845a9f9b9bc1f3c0190bb4ad55f11d80295a44c2895c5451c7cd95d9828",
            base64: """
                iVBORw0KGgoAAAANSUhEUgAAABUAAAATEAAAAAAKtcUUAAACJ0lEQVR42iXMS3bcKhAA0PoAxa+7I9sD\
                n2T3yTreW1LsloWEQFAZeH7PRZ9yjpHo/T1G1cfj7U3k8Xh9FVmWGEVCuN1eXrx3jmr9/JzT+4+PMZjn\
                ZK5133tnbu35BGhtTuYxRCgEka+vbXt5ATAmBIBlWZZS5pzTOURVgN69J6LjOE+RHz8AEAEAelc9jpy3\
                rXcRAOdSmpNI1QBY+81qZXZOBBGxtZRy3ncRkTFUz1PVAIwxxhifn79+OVfKn99lDx7xbOIA/vsfETHn\
                WhHJGACA6wL4+FBlPpsI0fqFiHiNUvZdtfecHw9i9t57Y2JcFmuPQ9xxPNdbJgJoLefrQgRorVY6z/M0\
                Zl2Jtm3bEAFU77d6qm5FtRSRMeZkdo4AUiqFmTmlnAEA7rfvx/sUe1c9TwDnAAiAKMYYn88xagWY82vr\
                F3NOhhFVe1edc9+NIZHea+19TqLrCmE/bhlA3DUAvjdrQzBmXRH47S2EEGJMydqfP3O+3e53Ve/v9/d3\
                5mWJ0bnXV2Zybk5jztMYa1N6PlXH+Ps3BOdE5sxZlcja4wCg1rbtOIwxZox9T6lWVcTzjHFO5m2z1toY\
                c86ZRJxjvq59vy5mVQBrY5xz3+c8z+tCbO35rJWIVFUBVIm8n9PaOXvvnSgEZhHEfe/dGOZaqbVaiVJi\
                RkypFGNKISJaV++JxhgjJcRavScAkdZKqXWMdRUJYVlau677HaCUnI0hci6EWv8BO3hEvxSLtjkAAAAA\
                SUVORK5CYII=
                """),
        KnownFile(
            name: "jpeg 4:4:4",
            sha256: "789cab0781b53336dfc76b3f37dca634eb32ecbc609cd27b4056ea9727adbeff",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAATABUDAREAAhEBAxEB/8QA\
                GAABAAMBAAAAAAAAAAAAAAAABQEEBgf/xAAlEAABAwQBAgcAAAAAAAAAAAABAAIDBAURISIGQRIyQnGB\
                oeH/xAAbAQAABwEAAAAAAAAAAAAAAAAAAQMEBQYHAv/EACMRAAICAgECBwAAAAAAAAAAAAECAAQDERIh\
                QQYTMlFxgdH/2gAMAwEAAhEDEQA/AOd0lqJ9O0QaFWtR2ntTWODcg77ILYUkDrLylPPhUsxGh8/kYhtJ\
                8Gm5908DR1itDjJpLSNcfpRatMWr2olTdPyOkY8y6aQfJ+okx6IO5o58TrnRk8vWxr1e/wBTRU9qxGMs\
                HyngO+8TxWjrpKtLEzA4hRqdpjtV23GqGGM5y0awl1Ms1diIzBEwN00dl3syfxMeM//Z
                """),
        KnownFile(
            name: "jpeg 4:2:0",
            sha256: "08ca9ad88c83c13108de9604227a74c13bdea47f707958776d532e4b79c9d19a",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAATABUDASIAAhEBAxEB/8QA\
                GAABAQADAAAAAAAAAAAAAAAAAAUEBgf/xAAlEAABAwQBAgcAAAAAAAAAAAABAAIDBAURISIGQRIyQnGB\
                oeH/xAAYAQADAQEAAAAAAAAAAAAAAAADBAYFB//EACIRAAEDAwMFAAAAAAAAAAAAAAEAAgUDESEEEjET\
                IlFhcf/aAAwDAQACEQMRAD8A53SWon07V2ntTWODcg77KzSWka4/SpU3T8jpGPMumkHyfqEKjsbU5ByO\
                lcx3XdY4tz78D4pkNpPg03Pui3WntWIxlg+UTgqKmZKdoysWliZgcQrVDDGc5aNYRFl0+FxmMJsrMETA\
                3TR2RER7q0YTtC//2Q==
                """),
        KnownFile(
            name: "jpeg 4:2:2",
            sha256: "60c35be8a420effde6d1933d7ffd348195c7b544201a8463e7b313cf1c7defe4",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAATABUDASEAAhEBAxEB/8QA\
                GQABAQADAQAAAAAAAAAAAAAABQABBAYH/8QAJRAAAQMEAQIHAAAAAAAAAAAAAQACAwQFESEiBkESMkJx\
                gaHh/8QAGQEAAgMBAAAAAAAAAAAAAAAABQYBBAcD/8QAIhEAAgIBBAEFAAAAAAAAAAAAAQIAERIDBAVh\
                ITEyQaHR/9oADAMBAAIRAxEAPwDzuktRPp2nae1NY4NyDvsoGqFq4c4UamurMh9vr9/kYhtJ8Gm591K4\
                GjSm6GImaS0jXH6SVN0/I6RjzLppB8n6hQGVeZm/AcwNqjoVvKvmqq+u50VPasRjLB8qV0HuMSbpsRU1\
                aWJmBxCaoYYznLRrCH6ZmW8YxoRmCJgbpo7KXezHRGOIn//Z
                """),
        KnownFile(
            name: "jpeg 4:4:0",
            sha256: "b21af2ec5d9a532e2e91d7ed8d9e4d8e0b2b6b5eb936480277a8718225f1440a",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAATABUDARIAAhEBAxEB/8QA\
                GAAAAwEBAAAAAAAAAAAAAAAAAAUGBAf/xAAlEAABAwQBAgcAAAAAAAAAAAABAAIDBAURISIGQRIyQnGB\
                oeH/xAAaAQACAgMAAAAAAAAAAAAAAAACBQMHAAQG/8QAIhEAAQMEAAcAAAAAAAAAAAAAAQADEQIEBTES\
                EyEiQWGR/9oADAMBAAIRAxEAPwDndJaifTtW1JaRrj9KKlxK7bKe0mp7U1jg3IO+yq6bp+R0jHmXTSD5\
                P1ZS67IlWCL/ABYoPKckx03v4lkNpPg03PurWntWIxlg+VuBxG1lO3ay0sTMDiEJRR4VEWpMp1QwxnOW\
                jWEKeldMwTKcwRMDdNHZCOSn7ZPCv//Z
                """),
        KnownFile(
            name: "jpeg grey",
            sha256: "a56289220bab783476e4503a340e72d6af58aa91ead57f41611fea564fe24c9d",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/wAALCAATABUBAREA/8QAFwABAQEBAAAAAAAAAAAA\
                AAAABwgFBv/EACcQAAECBQIFBQAAAAAAAAAAAAECBQADBBEhEjEGExVRcSJBgqGx/9oACAEBAAA/ADtg\
                yBqvv9Q2UPBzi2ylTJs+mUmWkqUELUTj4x0zbilSLasbkxNrFb0jxDtT8ah1kLldP5XMQU6jOva43tpj\
                cbNYpgAArvmJrYCbpHj9hQYAASPbEIjdimFuwj//2Q==
                """),
        KnownFile(
            name: "jpeg 4:2:0 progressive",
            sha256: "08ca9ad88c83c13108de9604227a74c13bdea47f707958776d532e4b79c9d19a",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wgARCAATABUDASIAAhEBAxEB/8QA\
                GAABAQADAAAAAAAAAAAAAAAAAAQDBQb/xAAYAQACAwAAAAAAAAAAAAAAAAADBQIEBv/aAAwDAQACEAMQ\
                AAAB5262mBpW7GZ4rSrjLAR1/8QAGhAAAwEAAwAAAAAAAAAAAAAAAAECAwQRIf/aAAgBAQABBQKcichZ\
                E5E8d9zl5KISEj//xAAaEQADAAMBAAAAAAAAAAAAAAAAAQQDEiEx/9oACAEDAQE/AYaMTT3YquEwvD//\
                xAAZEQACAwEAAAAAAAAAAAAAAAAAEgECEEH/2gAIAQIBAT8BaeDFc//EABUQAQEAAAAAAAAAAAAAAAAA\
                ACAx/9oACAEBAAY/AhT/AP/EABsQAAICAwEAAAAAAAAAAAAAAAABUWERITFB/9oACAEBAAE/IahCeDXw\
                rGEfiiAKgjCscP/aAAwDAQACAAMAAAAQSyC8/8QAGxEAAgIDAQAAAAAAAAAAAAAAAAERITFRYXH/2gAI\
                AQMBAT8QpKdRnul4VLHcDuB//8QAGBEBAQADAAAAAAAAAAAAAAAAAAERITH/2gAIAQIBAT8Qmghwy//E\
                AB4QAQADAAEFAQAAAAAAAAAAAAEAESFBMWFxgcHw/9oACAEBAAE/EHe6CrDvETpt5hZ8Rh5Q/tykWfcp\
                mIi7GVD4HE//2Q==
                """),
        KnownFile(
            name: "jpeg 4:4:0 progressive",
            sha256: "b21af2ec5d9a532e2e91d7ed8d9e4d8e0b2b6b5eb936480277a8718225f1440a",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wgARCAATABUDARIAAhEBAxEB/8QA\
                GAAAAwEBAAAAAAAAAAAAAAAAAAQFAwb/xAAZAQACAwEAAAAAAAAAAAAAAAACBAAFBgP/2gAMAwEAAhAD\
                EAAAAedtgqlWmgVt9iyFMG6HZuBWH//EABoQAAMBAAMAAAAAAAAAAAAAAAABAgMEESH/2gAIAQEAAQUC\
                nInIWRORPHfc5eSiEhI//8QAHBEAAgICAwAAAAAAAAAAAAAAAAIDBBETISIx/9oACAEDAQE/AY7Rvq46\
                sLa4IhBfD//EABgRAAMBAQAAAAAAAAAAAAAAAAABAhAS/9oACAECAQE/AVQqo6ELP//EABUQAQEAAAAA\
                AAAAAAAAAAAAACAx/9oACAEBAAY/AhT/AP/EABsQAAICAwEAAAAAAAAAAAAAAAABUWERITFB/9oACAEB\
                AAE/IahCeDXwrGEfiiAKgjCscP/aAAwDAQACAAMAAAAQK6E8/8QAGxEBAAICAwAAAAAAAAAAAAAAAQAR\
                ITFRYZH/2gAIAQMBAT8Q7oE8zWN78nMibjbiY//EABgRAAMBAQAAAAAAAAAAAAAAAAABERBB/9oACAEC\
                AQE/EArVEOcVn//EAB4QAQADAAEFAQAAAAAAAAAAAAEAESFBMWFxgcHw/9oACAEBAAE/EHe6CrDvETpt\
                5hZ8Rh5Q/tykWfcpmIi7GVD4HE//2Q==
                """),
        KnownFile(
            name: "jpeg 4:2:0 restart",
            sha256: "08ca9ad88c83c13108de9604227a74c13bdea47f707958776d532e4b79c9d19a",
            base64: """
                /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEm\
                KzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7\
                Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAATABUDASIAAhEBAxEB/8QA\
                FwABAQEBAAAAAAAAAAAAAAAAAAUGB//EACUQAAEDBAECBwAAAAAAAAAAAAEAAgMEBREhIgZBEjJCcYGh\
                4f/EABYBAQEBAAAAAAAAAAAAAAAAAAQGA//EACIRAAEDAwMFAAAAAAAAAAAAAAEAAgUDESEEEjETIlFh\
                cf/dAAQAAv/aAAwDAQACEQMRAD8A53SWon07V2ntTWODcg77KzSWka4/SpU3T8jpGPMumkHyfqyFR2Nq\
                ZByOlcx3XdY4tz78D4pkNpPg03Pui2tPasRjLB8omCoqZkp2jK//0LlLEzA4hWqGGM5y0awiIVPhRcYT\
                ZWYImBumjsiIt7q0YTtC/9k=
                """),
        KnownFile(
            name: "webp lossy",
            sha256: "e8e33afef638fc7596c31add5171ae1cee3dd4e316762bd8b3b1bf8d24e6e23d",
            base64: """
                UklGRpwAAABXRUJQVlA4IJAAAADQBACdASoVABMAPrFEnUmnI6KhN/VYAOAWCWgArDKEdXemgDCCY+Py\
                9DpLIB42AAD+98XdHgx3PvMT1IZ31mtt6OvkgoG7e7l1dCDb88FhfeUnoon+e9s9Uj0kDwjIykylrRZl\
                +Bkbgsa31/NiSMy6Vg028djAefSNLBfqZfYrN8u+DBcp4vyddQw8356XwgA=
                """),
        KnownFile(
            name: "webp lossy with alpha",
            sha256: "0778ce1235ec548f09eae83aff8f5cb4cd264fa5cdd12e9f02fe503f8182934b",
            base64: """
                UklGRuoBAABXRUJQVlA4WAoAAAAQAAAAFAAAEgAAQUxQSCwBAAANkBjbdhpJX/Qls4cxmw1kc9pINiZm\
                g8C2OI2IiNMe5ddB9n9+/+/Xw59muYJS+njRQcSOxqtpdkwRj5Pe1y+3KTYrvJ9wCVqFwaboc64ERFJ/\
                n72VIQ6JQRSVqOwqgnT+0R8tIwQYwPBN3H5sM5GkfpDg7nPiwNPNltDAqIGrevI15wg8+H7ce/GDAy5z\
                JEgluNttBANEN6E92qWtMYN71HDVHgwQ1GVK6ANCueDFiou2l78AKE9Ead+znBOa7i8PLEPAmMSttEX4\
                OYZPZRHO/fp8tIOFoELnanjVdPrOaqOHnMcTMRuQ8u+dL2rt47RCLOAJkxg8rzH26hI5ysYfBCrJofWS\
                gfeYsIsn6ZAep6LH4z4ZmP+gAN02G/hB5Nj9LddTWcbut6Ip3wBWUDggmAAAANAEAJ0BKhUAEwA+tUqh\
                SickIyGoDVDgFolqAKwy9nAAFOUHocYbNhG8vsiam5AAAP73xi19a/yV6boU2+H/eddQgYHinZEb4ANK\
                +XnjJL520wVUxzuf5hyep7n/DcAwYgK4rX0Ql6b2DJpp29e6Qt91yfVXXaplB2lu9gVHeceNsW5OnEWo\
                91ZyAHLcD3Qe9bScSE7RuQAA
                """),
        KnownFile(
            name: "webp lossless with alpha",
            sha256: "a0f865a39135908a849fa28d8348ca0ca83908af497532b3093c808a21d34380",
            base64: """
                UklGRp4EAABXRUJQVlA4TJEEAAAvFIAEEAEFbRs597OLP+KSiOj/BBDtn5Q2YK9VNjBQ1DaS4927Z+WP\
                tAJRGkmSMvesXn/+0TGqk4rbto0Y+J/02n/Uov8BIMH/rI+GBR+quaeo2dJ2qQAkZpCqcbmAQdXgY8Mh\
                R7atRowe8Pnw8e3kcuXa/5rc+GnPNhRKsG0njiOBsCYLOKnMyZbTw4Z6Nb2EGg02SLBtt20jAKQ+oQLS\
                h3RZUnack2XVKSogJQYA27YNSJrwPqDv9Jwenh25EkESi2RoCdxdqdveEB8TH+MDtjVMBNRrx0v+AV+i\
                atjts/6e7HI/xResNvBfgWoXzaU/27b6YFDU+eEXvuXbjNOIuvRw36595TalxXUyj6UfoQF71MUWerDY\
                XQxLWjxrT5X3FpVAtKOEjuB8q5daFw09zhykPVB//P0kxCjsSj4oCtjUbZd67m4Ll+SoG2IM1sTZ1O0w\
                IPauuGrkUB1Bp/tylVbwQan7d/piLlrScJMeTtJFoQ0riWUssVQ7rrahIViu6TiXxcaR9Hq2V2tYLN4U\
                YngAMPpMKHPWyJSZaNYQuIv+0M+BiywhrmtZLDfBfx5qcSd3O27LoekukYbuJtse82imZwqP8Ak0EWXm\
                OHBQOzTxc/gNDiKXCqB/7z8ft39CjLCs3gUrBQV8weu/t78BYIYgKjudQ7OPNCnd/XF6VIGAxCWEvrSl\
                Vksu7Kl+/H3HFXkAaJpzfxYRBtD6Pyzdt/Me+gXapI13TPJeWkllxK+RiN2LCq+p2TXX9qZf6hmbDwMA\
                pP1OVx6Ihzv5kSOAILQdH70Qb8iqyBGGuZ2yfEjLb+3MOzArON/tVnzbCE9PMzvjMACpB4XOm3AT7HOE\
                n7fPO6YGvtIdpo3ZpCYdWgN3k/4CEax2ngCxTiT3IW+9gJK3/xLJAKQAEgAZxk+07cAikX8btdqvnMR5\
                jGmuwpzzKDWtI8IJtHIzcsrAppvCRi17meQaZQjvcW9fD+AKJqkDqAJoAGiFqQEpOjOkcVQfphVzIs03\
                cYFh2GMmxKx9QP+2Nzfy0qf7tu16AhCr8HcBaGwiCUDwnShpTNMY84OOMo5GzXSfcNz4PJgzk9rIpJQe\
                Y0zFawO+/Y9/juyEbAWFjg1C8FJ5q/mgD/uwiHHnuehl+LzPp0sLqwBIpJoXc82q0giNNnE6MRGZ28Jl\
                /fa3aPfaYQ7nt79tZOar7VL3fT3Vl4p1kVQBz5IGYiFVaSf6x+3KcZ1LWEM1tDhLiPt2MtwkUZDjmTcT\
                4tqey0Zv+NpTHv7FfzZ8zpxjIbWePVM177e/qPBNGq6ziUjYY1aBwcECEhgeSPWPTaze5dPRXTVF/Vf5\
                CKtWVev+g9lcsZKhQ+sxE9rorvQwUyiTk2fWOJCaFM1rb2WsSRykdsJC0cIIyaBOk4m+Ux5k9pYFbRKG\
                can1QYwl2tLtQn6Ui/NUBwkitHrWyCCYnzVZnCcfenKLOWOeuQ8UK11s736bLgslPU+yCcaphkV38tcC\
                gCliFpyntIz50Mypj/ao1yQqsVJxuVE4Rs445rKizZy1HEtqqgIaNuVKhpOwOOdgCwA=
                """),
    ]
}
